import FoundationEssentials
import GRDB
import Glibc
import Logging
import PKI
import ServiceRuntime
import Telemetry

/// The scheduler's memory: one SQLite database. What a write has returned from survives a power cut.
struct Store: Sendable {
  private let pool: DatabasePool
  /// The generation that was last here.
  let generation: GenerationFile
  /// There was a file without anything in it, and no backup beside it: the store began anew. A new one is so if the process dies while it makes it;
  /// else somebody or something has emptied it.
  let wasEmptied: Bool
  private let file: URL
  private let logger: Logger?
  private let trouble = StandingTrouble()

  /// Where a scheduler has its database.
  static func file(in environment: ServiceEnvironment) -> URL { environment.stateDirectory.appending(component: "scheduler.sqlite") }

  /// Opens the database, makes it if there is none, and brings it to the present schema; what an older version has left is saved before that.
  /// - Throws: ``StoreError`` when a newer version of this program has written it, it is empty and was not always, or it cannot be used.
  init(at file: URL, clock: WallClock = .system, logger: Logger? = nil) throws {
    self.file = file
    self.logger = logger
    let path = file.path(percentEncoded: false)
    generation = GenerationFile(of: file)
    wasEmptied = Self.isEmptyFile(path)
    if wasEmptied, let backup = DatabaseBackup.latest(of: file, upTo: Schema.version)?.file.path(percentEncoded: false) {
      throw StoreError(
        path: path, cause: "is empty, and was not when \(backup) was saved; put that in its place, or remove the empty file to begin with nothing")
    }
    do {
      var configuration = Configuration()
      // One process has the database, but a person may look at it with sqlite3.
      configuration.busyMode = .timeout(5)
      configuration.maximumReaderCount = 2
      pool = try DatabasePool(path: path, configuration: configuration)
      try Schema.prepare(pool, at: file, now: clock.now())
      // GRDB leaves its writer at NORMAL, where a power cut takes the last commits (https://www.sqlite.org/pragma.html#pragma_synchronous).
      try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
    } catch let error as DatabaseError where [.SQLITE_NOTADB, .SQLITE_CORRUPT].contains(error.resultCode) {
      throw StoreError(path: path, cause: "is damaged (\(error.message ?? "no database")); put a backup in its place")
    } catch let error as DatabaseError {
      throw StoreError(error, of: file)
    }
  }

  private static func isEmptyFile(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_size == 0
  }

  /// Reads a state that no writer changes meanwhile.
  func read<Value: Sendable>(_ body: @Sendable (Database) throws -> Value) async throws -> Value {
    try await explained { try await pool.read(body) }
  }

  /// Writes all or nothing, one writer after the other; when it returns, it is on disk.
  func write<Value: Sendable>(_ body: @Sendable (Database) throws -> Value) async throws -> Value {
    try await stored { try await pool.write(body) }
  }

  /// Writes all or nothing, and then does what `body` has returned beside its value: before the next writer's turn, and only if all is on disk.
  /// GRDB's `afterNextTransaction` is no such promise: it outlives a commit that fails for want of room, and acts after the next one.
  func write<Value: Sendable>(thenTelling body: @Sendable (Database) throws -> (value: Value, tell: () -> Void)) async throws -> Value {
    try await stored {
      try await pool.writeWithoutTransaction { database in
        try database.beginTransaction()
        let outcome: (value: Value, tell: () -> Void)
        do {
          outcome = try body(database)
          try database.commit()
        } catch {
          // It does nothing where the failure has ended the transaction already, and the first failure is the one to tell.
          try? database.rollback()
          throw error
        }
        outcome.tell()
        return outcome.value
      }
    }
  }

  private func stored<Value>(_ write: () async throws -> Value) async throws -> Value {
    let value = try await explained(write)
    if trouble.ends() { logger?.notice("the database can be written again") }
    return value
  }

  /// What the disk does not let through is told once, for all calls that fail until it is mended.
  /// - Throws: a ``StoreError`` then.
  private func explained<Value>(_ body: () async throws -> Value) async throws -> Value {
    do {
      return try await body()
    } catch let error as DatabaseError where StoreError.isOfDisk(error) {
      let explained = StoreError(error, of: file)
      if trouble.begins() { logger?.log(.storingFailed, "nothing can be stored, and devices wait: \(explained)") }
      throw explained
    }
  }

  /// Reads at the start, when there is nothing to wait for.
  func readNow<Value>(_ body: (Database) throws -> Value) throws -> Value {
    try pool.read(body)
  }

  /// How the writer is set to sync, as SQLite tells it: 2 is FULL.
  func durability() async throws -> Int? {
    try await pool.writeWithoutTransaction { try Int.fetchOne($0, sql: "PRAGMA synchronous") }
  }
}

/// Why the database cannot be used.
struct StoreError: Error, Hashable, CustomStringConvertible {
  let path: String
  let cause: String

  var description: String { "\(path): \(cause)" }
}

extension StoreError {
  /// What SQLite says when the disk is full or read-only, or the folder is not this user's; each of them for any of these.
  static func isOfDisk(_ error: DatabaseError) -> Bool {
    [.SQLITE_FULL, .SQLITE_IOERR, .SQLITE_READONLY, .SQLITE_CANTOPEN].contains(error.resultCode)
  }

  /// SQLite's failure, in the words of the disk itself where that fails too.
  init(_ error: DatabaseError, of file: URL) {
    self.init(
      path: file.path(percentEncoded: false),
      cause: Self.diskFailure(beside: file) ?? "cannot be used (\(error)); see to the disk and to the permissions of the state directory")
  }

  /// Writes as much as SQLite needs to begin, and takes it away again.
  private static func diskFailure(beside file: URL) -> String? {
    let trial = AtomicFile(file.deletingLastPathComponent().appending(component: ".trial"))
    do throws(ServiceRuntimeError) {
      try trial.write([UInt8](repeating: 0, count: 65_536))
      try trial.remove()
      return nil
    } catch {
      return error.cause
    }
  }
}

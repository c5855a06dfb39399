import FoundationEssentials
import GRDB
import PKI
import ServiceRuntime

/// A copy of the database beside it, made before something that cannot be taken back: `scheduler-20261124T151203Z-schema2.sqlite`.
struct DatabaseBackup: Sendable, Hashable {
  /// How many stay; an older one goes when another is made.
  static let kept = 5

  /// The copy.
  let file: URL
  /// When it was made, UTC, in the form that sorts.
  let time: String
  /// The schema that it has.
  let schema: Int

  /// The backup that a file beside the database is, by its name; nil when it is none.
  private init?(_ file: URL, of database: URL) {
    let name = file.lastPathComponent
    let (start, end) = (Self.stem(of: database), ".sqlite")
    guard name.hasPrefix(start), name.hasSuffix(end) else { return nil }
    let parts = name.dropFirst(start.count).dropLast(end.count).split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[1].hasPrefix("schema"), let schema = Int(parts[1].dropFirst("schema".count)) else { return nil }
    self.file = file
    self.time = String(parts[0])
    self.schema = schema
  }

  /// All of a database's, the latest first.
  static func all(of database: URL) throws -> [DatabaseBackup] {
    let folder = database.deletingLastPathComponent()
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))
    return names.compactMap { DatabaseBackup(folder.appending(component: $0), of: database) }.sorted { $0.time > $1.time }
  }

  /// The latest that a program which knows schemas up to `version` can go on with.
  static func latest(of database: URL, upTo version: Int) -> DatabaseBackup? {
    try? all(of: database).first { (1...version).contains($0.schema) }
  }

  /// Makes one of a database that others may have open, and write to, meanwhile: SQLite copies one state of it. When this returns, it is on disk.
  /// - Returns: where it is.
  static func save(_ writer: some DatabaseWriter, of database: URL, at now: Instant) throws -> URL {
    let schema = try writer.read { try Schema.version(of: $0) }
    let time = "\(now)".prefix(19).filter { $0 != "-" && $0 != ":" } + "Z"
    let backup = database.deletingLastPathComponent().appending(component: "\(stem(of: database))\(time)-schema\(schema).sqlite")
    try AtomicFile(backup).write { draft in
      try writer.vacuum(into: draft)
      let copy = try DatabaseQueue(path: draft)
      try copy.write { database in
        try database.execute(sql: Mark.table)
        try Mark.copied.write(now, to: database)
      }
      try copy.close()
    }
    // The one of now stays, whatever a clock that was set back says of its age.
    for old in try all(of: database).filter({ $0.file != backup }).dropFirst(kept - 1) { try AtomicFile(old.file).remove() }
    return backup
  }

  /// Makes one of a database that is not open here, for whoever is about to install another version of this program.
  /// - Returns: where it is; nil when there is no database yet.
  static func save(databaseAt database: URL, at now: Instant) throws -> URL? {
    let path = database.path(percentEncoded: false)
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    var configuration = Configuration()
    configuration.readonly = true
    configuration.busyMode = .timeout(5)
    return try save(DatabaseQueue(path: path, configuration: configuration), of: database, at: now)
  }

  private static func stem(of database: URL) -> String { database.deletingPathExtension().lastPathComponent + "-" }
}

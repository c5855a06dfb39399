import FoundationEssentials
import GRDB
import Logging
import PKI
import SchedulerAPI
import Telemetry

/// The devices, their names and what they asked for: all that is remembered, and the rules applied to it. What it does is on disk when it
/// returns, and then told to whoever watches.
struct Fleet: Sendable {
  let store: Store
  let settings: LiveSettings
  let watched: Watched
  let board: OrderBoard
  let clock: WallClock
  let chance: Chance
  let logger: Logger
  /// By which the CA counts.
  var publicSuffixes = PublicSuffixList.empty

  /// Changes the store, all or nothing, and lets follow what follows from it.
  func transact<Value: Sendable>(_ body: @Sendable (inout Transaction) throws -> Value) async throws -> Value {
    let trace = TraceContext.current ?? .make()
    return try await store.write(thenTelling: { database in
      var transaction = Transaction(
        database, settings: settings.current, now: clock.now(), trace: trace, chance: chance, publicSuffixes: publicSuffixes)
      let value = try body(&transaction)
      return (value, try transaction.finish(watched: watched, board: board, logger: logger))
    })
  }

  /// Reads by the rules, while others may write.
  func consult<Value: Sendable>(_ body: @Sendable (Transaction) throws -> Value) async throws -> Value {
    try await store.read { database in
      try body(
        Transaction(
          database, settings: settings.current, now: clock.now(), trace: .make(), chance: chance, publicSuffixes: publicSuffixes))
    }
  }

  /// Where a request stands, for its device.
  func view(of request: RequestRecord, in database: Database) throws -> RequestView {
    try RequestView(
      request, certificate: CertificateRecord.of(request.id, from: database), progress: board.progress(of: request.id),
      outage: AuthorityRecord.outage(holding: request, by: settings.current, from: database), now: clock.now())
  }
}

/// Where randomness comes from.
struct Chance: Sendable {
  /// A number from 0 to 1.
  let fraction: @Sendable () -> Double
  /// 128 bits as 32 hexadecimal digits: an id that nobody guesses.
  let identifier: @Sendable () -> String

  /// The system's generator.
  static let system = Chance(
    fraction: { .random(in: 0...1) },
    identifier: {
      let words = (0..<2).map { _ in String(UInt64.random(in: 0 ... .max), radix: 16) }
      return words.map { String(repeating: "0", count: 16 - $0.count) + $0 }.joined()
    })
}

import GRDB
import PKI
import SchedulerAPI

extension Fleet {
  /// Sees whether the database is a backup that was put in the place of a newer state: then what was spent and issued since is unknown. For the start.
  func recogniseRestore() async throws {
    let noted = try store.generation.read()
    let known = try await store.read { try Mark.generation.number(in: $0) }
    // The first number is written beside the database before it is written in it: one without the other is a sign.
    if noted == nil, known == nil { try store.generation.write(0) }
    let generation = try await transact { transaction in
      let database = transaction.database
      let provenance = Provenance(
        isCopy: try Mark.copied.number(in: database) != nil, generation: try Mark.generation.number(in: database),
        noted: noted ?? (known == nil ? 0 : nil))
      if provenance.isRestored { try transaction.noteRestore() }
      // Beyond what was here, so that the next restore is recognised too.
      return try transaction.nextGeneration(after: noted ?? 0)
    }
    try store.generation.write(generation)
  }

  /// Until when the CA's limits are taken for spent after a restore; nil when they are not.
  static func cautiousUntil(_ settings: Settings, at now: Instant, from database: Database) throws -> Instant? {
    guard let limits = settings.limits, let restored = try Mark.restored.moment(in: database) else { return nil }
    let end = restored + limits.longestPeriod
    return now < end ? end : nil
  }
}

extension Transaction {
  /// What follows is another state than any before.
  mutating func nextGeneration(after least: Int64 = 0) throws -> Int64 {
    let next = max(least, try Mark.generation.number(in: database) ?? 0) + 1
    try Mark.generation.write(next, to: database)
    return next
  }

  fileprivate mutating func noteRestore() throws {
    try Mark.restored.write(now, to: database)
    try Mark.copied.remove(from: database)
    let caution = settings.limits.map { limits in
      "; the CA's limits are taken for spent until \(now + limits.longestPeriod), and only what is about to end is ordered all the same"
    }
    try record(
      Event(
        .stateRestored,
        "The database is a backup that was put in the place of a newer state. What was ordered since is unknown\(caution ?? "")."))
  }
}

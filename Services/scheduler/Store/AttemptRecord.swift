import GRDB
import PKI
import SchedulerAPI

/// One try to get a certificate for a request.
struct AttemptRecord: Codable, FetchableRecord, PersistableRecord {
  static let databaseTableName = "attempt"

  private(set) var id: Int64?
  let request: RequestID
  let beganAt: Instant
  var endedAt: Instant?
  var failure: AttemptFailure?

  /// An attempt that begins now.
  init(request: RequestID, beganAt: Instant) {
    self.request = request
    self.beganAt = beganAt
  }

  /// All attempts of a request, oldest first.
  static func of(_ request: RequestID, from database: Database) throws -> [AttemptRecord] {
    try fetchAll(database, sql: "SELECT * FROM attempt WHERE request = ? ORDER BY id", arguments: [request.rawValue])
  }

  /// The last attempt of a request.
  static func latest(of request: RequestID, from database: Database) throws -> AttemptRecord? {
    try fetchOne(database, sql: "SELECT * FROM attempt WHERE request = ? ORDER BY id DESC LIMIT 1", arguments: [request.rawValue])
  }

  /// How many attempts of a request are remembered: in an outage of the CA there is one an hour.
  static let kept = 20

  /// Forgets the attempt that is under way: it was none.
  static func dropOpen(of request: RequestID, from database: Database) throws {
    try database.execute(sql: "DELETE FROM attempt WHERE request = ? AND endedAt IS NULL", arguments: [request.rawValue])
  }

  /// Ends the attempt that is under way; without a failure it had success.
  static func end(of request: RequestID, failure: AttemptFailure?, at now: Instant, in database: Database) throws {
    let open = try fetchOne(
      database, sql: "SELECT * FROM attempt WHERE request = ? AND endedAt IS NULL ORDER BY id DESC LIMIT 1", arguments: [request.rawValue])
    guard var open else { return }
    open.endedAt = now
    open.failure = failure
    try open.update(database)
    try database.execute(
      sql: "DELETE FROM attempt WHERE id IN (SELECT id FROM attempt WHERE request = ? ORDER BY id DESC LIMIT -1 OFFSET ?)",
      arguments: [request.rawValue, kept])
  }
}

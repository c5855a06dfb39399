import GRDB
import PKI
import SchedulerAPI
import Telemetry

/// Something that an administrator should be able to read up.
struct EventRecord: Codable, FetchableRecord, PersistableRecord, Sendable {
  static let databaseTableName = "event"
  /// The most events that are kept, however young.
  static let most = 200_000

  private(set) var id: Int64?
  let at: Instant
  let severity: EventSeverity
  let code: String
  let text: String
  let device: DeviceID?
  let request: RequestID?
  let name: DNSName?
  let trace: TraceContext?

  init(_ event: Event, at now: Instant, trace: TraceContext?) {
    at = now
    severity = event.code.severity
    code = event.code.rawValue
    text = event.text
    device = event.device
    request = event.request
    name = event.name
    self.trace = trace
  }

  /// Whether the same has happened since then: what a device can bring about at will is not written down each time.
  static func hasRecent(_ event: Event, since: Instant, in database: Database) throws -> Bool {
    try Bool.fetchOne(
      database, sql: "SELECT EXISTS (SELECT 1 FROM event WHERE device IS ? AND at >= ? AND code = ? AND request IS ? AND text = ?)",
      arguments: [event.device?.rawValue, since.milliseconds, event.code.rawValue, event.request?.rawValue, event.text]) ?? false
  }

  /// How many events of the same kind the same device has brought about since then.
  static func countRecent(_ event: Event, since: Instant, in database: Database) throws -> Int {
    try Int.fetchOne(
      database, sql: "SELECT count(*) FROM event WHERE device IS ? AND code = ? AND at >= ?",
      arguments: [event.device?.rawValue, event.code.rawValue, since.milliseconds]) ?? 0
  }

  /// How often something happened since then, whoever brought it about.
  static func count(_ code: Event.Code, since: Instant, from database: Database) throws -> Int {
    try Int.fetchOne(
      database, sql: "SELECT count(*) FROM event WHERE at >= ? AND code = ?", arguments: [since.milliseconds, code.rawValue]) ?? 0
  }

  /// When something that is no device's last happened.
  static func latest(_ code: Event.Code, from database: Database) throws -> Instant? {
    try Instant.fetchOne(database, cached: "SELECT max(at) FROM event WHERE device IS NULL AND code = ?", arguments: [code.rawValue])
  }

  /// The first events after the one given, oldest first.
  static func list(after: Int, limit: Int, device: DeviceID?, from database: Database) throws -> [EventRecord] {
    try fetchAll(
      database, sql: "SELECT * FROM event WHERE id > :after AND (:device IS NULL OR device = :device) ORDER BY id LIMIT :limit",
      arguments: ["after": after, "device": device?.rawValue, "limit": limit])
  }

  /// The event after which the newest `count` come; 0 if there are no more than these.
  static func place(beforeNewest count: Int, device: DeviceID?, from database: Database) throws -> Int {
    try Int.fetchOne(
      database, sql: "SELECT id FROM event WHERE :device IS NULL OR device = :device ORDER BY id DESC LIMIT 1 OFFSET :count",
      arguments: ["device": device?.rawValue, "count": count]) ?? 0
  }

  /// Forgets what is older than `oldest`, and the oldest when there are too many.
  static func prune(before oldest: Instant, in database: Database) throws {
    try database.execute(sql: "DELETE FROM event WHERE at < ?", arguments: [oldest.milliseconds])
    try database.execute(sql: "DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - ?", arguments: [most])
  }
}

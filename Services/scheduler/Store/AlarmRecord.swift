import GRDB
import PKI
import SchedulerAPI

/// An alarm that stands. One that is over is history, and that is kept with the events.
struct AlarmRecord: Codable, FetchableRecord, MutablePersistableRecord, Sendable {
  static let databaseTableName = "alarm"

  private(set) var id: Int64?
  /// Whose it is; nil for the connector's own.
  let device: DeviceID?
  /// Which of the device's certificates; empty where it is no certificate's.
  let slot: String
  let code: AlarmCode
  var severity: AlarmSeverity
  var text: String
  var name: DNSName?
  let since: Instant
  /// When its device is told of it again, or when it is over of which nobody tells the end; nil for the connector's own.
  var tellAt: Instant?

  init(_ alarm: Alarm, device: DeviceID?, slot: String, since: Instant, tellAt: Instant?) {
    self.device = device
    self.slot = slot
    code = alarm.code
    severity = alarm.severity
    text = alarm.text
    name = alarm.name
    self.since = since
    self.tellAt = tellAt
  }

  mutating func didInsert(_ inserted: InsertionSuccess) {
    id = inserted.rowID
  }

  var alarm: Alarm { Alarm(code: code, severity: severity, text: text, name: name) }

  /// Those of a device, nil for the connector's own.
  static func of(_ device: DeviceID?, from database: Database) throws -> [AlarmRecord] {
    try fetchAll(database, cached: "SELECT * FROM alarm WHERE device IS ? ORDER BY id", arguments: [device?.rawValue])
  }

  /// All, or those of one device, oldest first: the first after the one with that id.
  static func list(of device: DeviceID?, after: Int?, limit: Int, from database: Database) throws -> [AlarmRecord] {
    try fetchAll(
      database, sql: "SELECT * FROM alarm WHERE id > :after AND (:device IS NULL OR device = :device) ORDER BY id LIMIT :limit",
      arguments: ["after": after ?? 0, "device": device?.rawValue, "limit": limit])
  }

  /// Those of one kind.
  static func list(_ code: AlarmCode, limit: Int, from database: Database) throws -> [AlarmRecord] {
    try fetchAll(database, cached: "SELECT * FROM alarm WHERE code = ? LIMIT ?", arguments: [code.rawValue, limit])
  }

  /// Those of which their devices are to be told again.
  static func toTell(_ count: Int, at now: Instant, from database: Database) throws -> [AlarmRecord] {
    try fetchAll(database, cached: "SELECT * FROM alarm WHERE tellAt <= ? ORDER BY tellAt LIMIT ?", arguments: [now.milliseconds, count])
  }

  /// An alarm of which nobody tells the end is over then.
  static func end(_ code: AlarmCode, of device: DeviceID?, at moment: Instant, in database: Database) throws {
    try database.execute(
      sql: "UPDATE alarm SET tellAt = ? WHERE device IS ? AND code = ?", arguments: [moment.milliseconds, device?.rawValue, code.rawValue])
  }

  /// When the next device is to be told again.
  static func nextTelling(from database: Database) throws -> Instant? {
    try Instant.fetchOne(database, cached: "SELECT min(tellAt) FROM alarm WHERE tellAt IS NOT NULL")
  }
}

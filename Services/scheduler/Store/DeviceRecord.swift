import GRDB
import PKI
import SchedulerAPI

/// A device as it is kept.
struct DeviceRecord: Codable, Hashable, FetchableRecord, PersistableRecord {
  static let databaseTableName = "device"

  let id: DeviceID
  let scope: String
  let key: String
  /// It has described itself or asked for a certificate. One that only logged in is not shown, and forgotten at the next start.
  var isKnown: Bool
  /// The only names, and those below them, that its login may ask for.
  var nameSuffixes: [DNSName]?
  var address: String?
  var description: DeviceDescription?
  let firstSeen: Instant
  /// When it last logged in, or told of itself; how long it stayed is in its ``VisitRecord``.
  var lastSeen: Instant
  /// How far its clock was ahead of ours, in milliseconds, when it last told of it.
  var clockOffset: Int64?
  /// Since when the connector does nothing for it any more.
  var retiredAt: Instant?
  /// When the first of the certificates is due that it told of, while nothing else is known of it; after that, when it is asked again. With its CSR, and
  /// none of the connector's certificates yet, when its alarms are looked at again.
  var adoptedDueAt: Instant?

  /// Whether it forwards requests for others, as it says.
  var isReverseProxy: Bool { description?.roles.contains("reverseProxy") ?? false }

  /// The device as one that asks for names, or holds them.
  var party: NameBinding.Party { NameBinding.Party(device: id, scope: scope, isReverseProxy: isReverseProxy) }

  static func fetch(_ key: DeviceKey, from database: Database) throws -> DeviceRecord? {
    try fetchOne(database, sql: "SELECT * FROM device WHERE scope = ? AND key = ?", arguments: [key.scope, key.value])
  }

  static func fetch(_ id: DeviceID, from database: Database) throws -> DeviceRecord? {
    try fetchOne(database, sql: "SELECT * FROM device WHERE id = ?", arguments: [id.rawValue])
  }

  /// Which device says that it answers challenges for a name, has it among its own, and may ask for it: the last one that was there.
  static func answering(for names: [DNSName], from database: Database) throws -> [DNSName: DeviceID] {
    var answering: [DNSName: DeviceID] = [:]
    for name in names {
      // A wildcard counts for one label.
      let devices = try fetchAll(
        database,
        sql: """
          SELECT * FROM device WHERE retiredAt IS NULL AND json_extract(description, '$.challenge') IN ('push', 'lookup')
            AND EXISTS (SELECT 1 FROM json_each(description, '$.dnsNames') WHERE lower(rtrim(value, '.')) IN (?, ?))
          ORDER BY lastSeen DESC
          """,
        arguments: [name.value, "*.\(name.parent?.value ?? "")"])
      answering[name] = devices.first { $0.nameSuffixes?.contains(where: name.isSubdomain) ?? true }?.id
    }
    return answering
  }

  /// How many devices a scope has.
  static func count(in scope: String, from database: Database) throws -> Int {
    try Int.fetchOne(database, sql: "SELECT count(*) FROM device WHERE scope = ?", arguments: [scope]) ?? 0
  }

  /// The devices that are shown, by id: the first after the one given.
  /// - Parameter reference: only those with this id, key or name.
  static func list(called reference: String?, after: String?, limit: Int, from database: Database) throws -> [DeviceRecord] {
    try fetchAll(
      database,
      sql: """
        SELECT * FROM device WHERE isKnown AND id > :after
          AND (:reference IS NULL OR :reference IN (id, key, json_extract(description, '$.name')))
        ORDER BY id LIMIT :limit
        """,
      arguments: ["after": after ?? "", "reference": reference, "limit": limit])
  }

  /// Those whose certificates that they told of have come due.
  static func adoptedDue(_ count: Int, at now: Instant, from database: Database) throws -> [DeviceRecord] {
    try fetchAll(
      database, cached: "SELECT * FROM device WHERE adoptedDueAt <= ? ORDER BY adoptedDueAt LIMIT ?", arguments: [now.milliseconds, count])
  }

  /// When the next of them come due.
  static func nextAdoptedDue(from database: Database) throws -> Instant? {
    try Instant.fetchOne(database, cached: "SELECT min(adoptedDueAt) FROM device WHERE adoptedDueAt IS NOT NULL")
  }

  /// Forgets who only logged in.
  static func deleteUnknown(from database: Database) throws {
    try database.execute(
      sql: """
        DELETE FROM device WHERE isKnown = 0
          AND NOT EXISTS (SELECT 1 FROM request WHERE request.device = device.id) AND NOT EXISTS (SELECT 1 FROM name WHERE name.device = device.id)
        """)
  }
}

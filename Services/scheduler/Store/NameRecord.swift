import GRDB
import PKI
import SchedulerAPI

/// A name and the device that holds it.
struct NameRecord: Codable, FetchableRecord, PersistableRecord {
  static let databaseTableName = "name"

  let name: DNSName
  var device: DeviceID
  var since: Instant

  /// Who holds which of these names.
  static func holders(of names: [DNSName], from database: Database) throws -> [DNSName: DeviceID] {
    let held = try fetchAll(
      database, sql: "SELECT * FROM name WHERE name IN (\(databaseQuestionMarks(count: names.count)))",
      arguments: StatementArguments(names.map(\.value)))
    return Dictionary(held.map { ($0.name, $0.device) }, uniquingKeysWith: { first, _ in first })
  }

  /// The names, in the order of the alphabet: the first after the one given; only one of them, or only those of one device, if that is given.
  static func list(_ name: DNSName?, of device: DeviceID?, after: String?, limit: Int, from database: Database) throws -> [NameRecord] {
    var names = order(sql: "name").limit(limit)
    if let after { names = names.filter(sql: "name > ?", arguments: [after]) }
    if let name { names = names.filter(sql: "name = ?", arguments: [name.value]) }
    if let device { names = names.filter(sql: "device = ?", arguments: [device.rawValue]) }
    return try names.fetchAll(database)
  }

  static func count(of device: DeviceID, from database: Database) throws -> Int {
    try Int.fetchOne(database, sql: "SELECT count(*) FROM name WHERE device = ?", arguments: [device.rawValue]) ?? 0
  }
}

/// A request that waits for a name of another device.
struct ClaimRecord: Codable, FetchableRecord, PersistableRecord {
  static let databaseTableName = "claim"

  let name: DNSName
  let request: RequestID
  let device: DeviceID
  let since: Instant

  /// The names that a request still waits for.
  static func of(_ request: RequestID, from database: Database) throws -> [ClaimRecord] {
    try fetchAll(database, sql: "SELECT * FROM claim WHERE request = ? ORDER BY name", arguments: [request.rawValue])
  }

  /// Who waits for a name, longest first.
  static func on(_ name: DNSName, limit: Int = .max, from database: Database) throws -> [ClaimRecord] {
    try fetchAll(database, sql: "SELECT * FROM claim WHERE name = ? ORDER BY since, request LIMIT ?", arguments: [name.value, limit])
  }

  static func drop(of request: RequestID, from database: Database) throws {
    try database.execute(sql: "DELETE FROM claim WHERE request = ?", arguments: [request.rawValue])
  }
}

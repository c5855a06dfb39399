import FoundationEssentials
import GRDB
import PKI
import SchedulerAPI

extension RequestRecord {
  static func fetch(_ id: RequestID, from database: Database) throws -> RequestRecord? {
    try fetchOne(database, sql: "SELECT * FROM request WHERE id = ?", arguments: [id.rawValue])
  }

  /// The first rows that can be read. One that cannot was told when it was set aside, and is not to keep its device from anything.
  private static func readable(
    _ limit: Int, _ database: Database, sql: String, arguments: StatementArguments
  ) throws -> [RequestRecord] {
    let rows = try Row.fetchCursor(database, sql: sql, arguments: arguments)
    var requests: [RequestRecord] = []
    while requests.count < limit, let row = try rows.next() {
      if let request = try? RequestRecord(row: row) { requests.append(request) }
    }
    return requests
  }

  /// The request with that number.
  static func numbered(_ number: Int64, from database: Database) throws -> RequestRecord? {
    try readable(1, database, sql: "SELECT * FROM request WHERE number = ?", arguments: [number]).first
  }

  /// The names of the request with that number: for those that go through all.
  static func names(of number: Int64, from database: Database) throws -> [DNSName] {
    let statement = try database.cachedStatement(sql: "SELECT names FROM request WHERE number = ?")
    return try String.fetchOne(statement, arguments: [number]).map { try [DNSName](stored: $0) } ?? []
  }

  /// The newest request of a device's slot.
  static func newest(of device: DeviceID, slot: String, from database: Database) throws -> RequestRecord? {
    try readable(
      1, database, sql: "SELECT * FROM request WHERE device = ? AND slot = ? ORDER BY number DESC", arguments: [device.rawValue, slot]
    ).first
  }

  /// The requests of a device with this CSR, of one slot if it is given, newest first; they are few, and the rest is history.
  static func withCSR(_ hash: Fingerprint, of device: DeviceID, slot: String? = nil, from database: Database) throws -> [RequestRecord] {
    try readable(
      20, database,
      sql: """
        SELECT * FROM request WHERE device = :device AND csrHash = :hash AND (:slot IS NULL OR slot = :slot) ORDER BY number DESC
        """,
      arguments: ["device": device.rawValue, "hash": hash.hex, "slot": slot])
  }

  /// The requests for a key that are not superseded, of whatever device.
  static func withKey(_ key: SubjectPublicKeyPin, from database: Database) throws -> [RequestRecord] {
    try fetchAll(database, sql: "SELECT * FROM request WHERE keyPin = ? AND state <> 'superseded' ORDER BY number", arguments: [key.hex])
  }

  /// The slots in which a device has a request that is not superseded.
  static func slots(of device: DeviceID, from database: Database) throws -> Set<String> {
    try String.fetchSet(
      database, sql: "SELECT DISTINCT slot FROM request WHERE device = ? AND state <> 'superseded'", arguments: [device.rawValue])
  }

  /// The requests of a device that are not superseded, newest first.
  static func current(of device: DeviceID, slot: String? = nil, from database: Database) throws -> [RequestRecord] {
    try readable(
      .max, database,
      sql: "SELECT * FROM request WHERE device = :device AND (:slot IS NULL OR slot = :slot) AND state <> 'superseded' ORDER BY number DESC",
      arguments: ["device": device.rawValue, "slot": slot])
  }

  /// The requests that are not superseded, oldest first: the first after the number given; of one device if it is given, with the superseded ones if
  /// `all`.
  static func list(of device: DeviceID?, all: Bool, after: Int?, limit: Int, from database: Database) throws -> [RequestRecord] {
    try readable(
      limit, database,
      sql: """
        SELECT * FROM request WHERE number > :after AND (:device IS NULL OR device = :device) AND (:all OR state <> 'superseded')
        ORDER BY number
        """,
      arguments: ["after": after ?? 0, "device": device?.rawValue, "all": all])
  }

  /// The newest request of every slot, of all devices or of one, and with a name if one is given; or of these only the failed ones, and those that wait for
  /// their names.
  static func newestOfSlots(of device: DeviceID?, name: DNSName?, onlyFailed: Bool, from database: Database) throws -> [RequestRecord] {
    try readable(
      .max, database,
      sql: """
        SELECT * FROM request WHERE number IN (
            SELECT max(number) FROM request WHERE (:device IS NULL OR device = :device) GROUP BY device, slot)
          AND (:name IS NULL OR EXISTS (SELECT 1 FROM json_each(names) WHERE value = :name))
          AND (NOT :onlyFailed OR state IN ('failed', 'waitingForName'))
        ORDER BY number
        """,
      arguments: ["device": device?.rawValue, "name": name?.value, "onlyFailed": onlyFailed])
  }

  /// The requests that are being ordered, and those whose turn it is, most urgent first.
  static func inTurn(_ count: Int, at now: Instant, from database: Database) throws -> [Row] {
    let underWay = try Row.fetchAll(
      database, cached: "SELECT * FROM request WHERE state = 'ordering' ORDER BY coalesce(neededBy, requestedAt), number LIMIT ?", arguments: [count])
    let waiting = try Row.fetchAll(
      database,
      cached: """
        SELECT * FROM (
          SELECT * FROM (
            SELECT * FROM request INDEXED BY requestInTurn WHERE state = 'queued' AND waitUntil IS NULL
            ORDER BY coalesce(neededBy, requestedAt), number LIMIT :count)
          UNION ALL SELECT * FROM request INDEXED BY requestByWait WHERE state = 'queued' AND waitUntil <= :now)
        ORDER BY coalesce(neededBy, requestedAt), number LIMIT :count
        """,
      arguments: ["now": now.milliseconds, "count": count - underWay.count])
    return underWay + waiting
  }

  /// How many that are more urgent wait for each of these limits; if `onlyEmergencies`, of those that may spend what is kept for such.
  static func countWaiting(
    for limits: [LedgerAccount], before urgency: Urgency, onlyEmergencies: Bool, at now: Instant, from database: Database
  ) throws -> [LedgerAccount: Int] {
    let waiting = "SELECT count(*) FROM request WHERE waitFor = :limit AND (coalesce(neededBy, requestedAt), number) < (:neededBy, :number)"
    let statement = try database.cachedStatement(
      sql: onlyEmergencies
        ? waiting + """
           AND (isForced OR EXISTS (
            SELECT 1 FROM renewal WHERE renewal.device = request.device AND renewal.slot = request.slot AND renewal.request <> request.id
              AND (isPressing OR demandReason IN ('revoked', 'keyCompromise') OR notAfter - (notAfter - notBefore) / 10 <= :now)))
          """ : waiting)
    return try limits.reduce(into: [:]) { counts, limit in
      var arguments: StatementArguments = ["limit": limit.text, "neededBy": urgency.neededBy.milliseconds, "number": urgency.number]
      if onlyEmergencies { arguments += ["now": now.milliseconds] }
      counts[limit] = try Int.fetchOne(statement, arguments: arguments)
    }
  }

  /// All that wait for a limit.
  static func waitingForLimits(from database: Database) throws -> [RequestRecord] {
    try readable(.max, database, sql: "SELECT * FROM request WHERE waitFor IS NOT NULL", arguments: [])
  }

  /// The most urgent of those that wait for a limit.
  static func next(for limit: LedgerAccount, from database: Database) throws -> RequestRecord? {
    try readable(
      1, database, sql: "SELECT * FROM request WHERE waitFor = ? ORDER BY coalesce(neededBy, requestedAt), number", arguments: [limit.text]
    ).first
  }

  /// Since when the one in the queue that has waited longest waits for nothing but its turn: since it came there, or its limit has room again. Nil when
  /// there is none.
  static func waitingSince(at now: Instant, from database: Database) throws -> Instant? {
    // What waits for a limit still has its moment ahead.
    let sql = "SELECT min(max(changedAt, coalesce(waitUntil, 0))) FROM request INDEXED BY requestByPatience WHERE state = 'queued'"
    return try Instant.fetchOne(database, cached: sql).flatMap { $0 <= now ? $0 : nil }
  }

  /// The requests that wait for a name of this device: its own, and with `behind` those of all devices of that scope.
  static func waitingForName(of device: DeviceID, behind scope: String?, from database: Database) throws -> [RequestRecord] {
    try readable(
      1000, database,
      sql: """
        SELECT * FROM request WHERE state = 'waitingForName' AND (device = :device OR device IN (SELECT id FROM device WHERE scope = :scope))
        ORDER BY nextAttempt
        """,
      arguments: ["device": device.rawValue, "scope": scope])
  }

  /// The failed requests whose pause is over, and those that wait for a name and are to be looked at.
  static func due(_ count: Int, at now: Instant, from database: Database) throws -> [Row] {
    try Row.fetchAll(
      database, cached: "SELECT * FROM request WHERE nextAttempt <= ? ORDER BY nextAttempt LIMIT ?", arguments: [now.milliseconds, count])
  }

  /// The failed requests that wait for nothing but the CA.
  static func waitingForAuthority(from database: Database) throws -> [Row] {
    try Row.fetchAll(database, sql: "SELECT * FROM request WHERE nextAttempt IS NOT NULL AND outages > 0 ORDER BY nextAttempt")
  }

  /// The kept requests whose moment has come.
  static func cameDue(_ count: Int, at now: Instant, from database: Database) throws -> [Row] {
    try Row.fetchAll(database, cached: "SELECT * FROM request WHERE dueAt <= ? ORDER BY dueAt LIMIT ?", arguments: [now.milliseconds, count])
  }

  /// The newest request of a slot that has a certificate for its device to use.
  static func served(of device: DeviceID, slot: String, from database: Database) throws -> RequestRecord? {
    try readable(
      1, database, sql: "SELECT * FROM request WHERE device = ? AND slot = ? AND state IN ('ready', 'installed') ORDER BY number DESC",
      arguments: [device.rawValue, slot]
    ).first
  }

  /// When the next pause is over, or the next kept request is due.
  static func nextMoment(after now: Instant, from database: Database) throws -> Instant? {
    let moments = [
      try Instant.fetchOne(database, cached: "SELECT min(waitUntil) FROM request WHERE waitUntil > ?", arguments: [now.milliseconds]),
      try Instant.fetchOne(database, cached: "SELECT min(nextAttempt) FROM request WHERE nextAttempt IS NOT NULL"),
      try Instant.fetchOne(database, cached: "SELECT min(dueAt) FROM request WHERE dueAt IS NOT NULL"),
    ]
    return moments.compactMap(\.self).min()
  }

  /// The requests for which acme-client may keep something that nobody needs any more.
  static func toRelease(_ count: Int, from database: Database) throws -> [Row] {
    try Row.fetchAll(
      database,
      cached: """
        SELECT * FROM request WHERE isHeldByClient = 1 AND state NOT IN ('notDue', 'queued', 'ordering', 'awaitingApproval') AND nextAttempt IS NULL
        ORDER BY number LIMIT ?
        """,
      arguments: [count])
  }

  /// Forgets the superseded requests of a device that are of no use even as history: all but the newest `kept`.
  static func deleteSuperseded(of device: DeviceID, keeping kept: Int, from database: Database) throws {
    try database.execute(
      sql: """
        DELETE FROM request WHERE isHeldByClient = 0 AND number IN (
          SELECT number FROM request WHERE device = ? AND state = 'superseded' ORDER BY number DESC LIMIT -1 OFFSET ?)
        """,
      arguments: [device.rawValue, kept])
  }
}

extension [DNSName] {
  /// A list as it is kept.
  init(stored text: String) throws { self = try JSONDecoder().decode([DNSName].self, from: Data(text.utf8)) }
}

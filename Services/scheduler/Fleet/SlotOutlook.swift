import GRDB
import PKI
import SchedulerAPI

/// What is to be expected of a slot: of its newest request, its device, and the certificate that has its schedule, no more than that takes.
struct SlotOutlook: FetchableRecord {
  /// The certificate that has the slot's schedule.
  struct Certificate {
    let validity: Validity
    let issuedAt: Instant
    /// When its successor is due.
    let dueAt: Instant
    /// The CA has named a window for that.
    let hasWindow: Bool
    /// The directory of the CA that issued it.
    let authority: String
    /// It is of a CA that is there to try things out.
    let isForTrial: Bool
    let isRevoked: Bool
    /// It is as good as over, or its successor is wanted by then.
    let isEmergency: Bool
    let deadline: Instant?
    /// The newest request is for the same names.
    let hasSameNames: Bool
  }

  /// The number of the newest request.
  let number: Int64
  let nameCount: Int
  /// A certificate was asked for that is here, or is not due.
  let isServed: Bool
  /// Somebody insists on the request, which has not led to a certificate yet.
  let isForced: Bool
  /// When the request is ordered, where it waits for that.
  let orderedAt: Instant?
  /// When it is too late for the request.
  let neededBy: Instant
  let deviceKey: String
  let deviceScope: String
  let deviceSeenAt: Instant
  let certificate: Certificate?
  /// Its device, where that has told of certificates and the slot has none that has a schedule.
  private let adopter: DeviceID?

  init(row: Row) throws {
    func moment(_ column: String) -> Instant? { (row[column] as Int64?).map(Instant.init(milliseconds:)) }
    number = row["number"]
    nameCount = row["nameCount"]
    isServed = row["isServed"]
    isForced = row["isForced"]
    orderedAt = moment("orderedAt")
    neededBy = moment("neededBy") ?? .earliest
    deviceKey = row["key"]
    deviceScope = row["scope"]
    deviceSeenAt = moment("lastSeen") ?? .earliest
    adopter = (row["adopter"] as String?).map(DeviceID.init(rawValue:))
    if let notBefore = moment("notBefore"), let notAfter = moment("notAfter"), let issuedAt = moment("issuedAt"), let dueAt = moment("dueAt") {
      certificate = Certificate(
        validity: Validity(notBefore: notBefore, notAfter: notAfter), issuedAt: issuedAt, dueAt: dueAt, hasWindow: row["hasWindow"],
        authority: row["authority"], isForTrial: IssuerName.isForTrial(row["issuer"]),
        isRevoked: row["isRevoked"], isEmergency: Self.isEmergency(row, dueAt), deadline: moment("demandDeadline"),
        hasSameNames: try Self.hasSameNames(row))
    } else {
      certificate = nil
    }
  }

  private static func isEmergency(_ row: Row, _ dueAt: Instant) -> Bool {
    let reason = (row["demandReason"] as String?).flatMap(RenewalWish.Reason.init)
    return row["isPressing"] as Bool || reason.map { RenewalDemand(reason: $0, from: dueAt).isEmergency } ?? false
  }

  /// They may stand in another order.
  private static func hasSameNames(_ row: Row) throws -> Bool {
    guard let others = row["otherNames"] as String? else { return true }
    return Set(try [DNSName](stored: others)) == Set(try [DNSName](stored: row["names"]))
  }

  /// How long the certificate is valid that the device has brought with it, where the slot has no other.
  func validityBrought(at now: Instant, from database: Database) throws -> Validity? {
    guard let adopter, let device = try DeviceRecord.fetch(adopter, from: database) else { return nil }
    return try device.validityBrought(for: RequestRecord.names(of: number, from: database), at: now, from: database)
  }

  /// Those of all devices that are not retired, one after the other.
  static func all(at now: Instant, from database: Database) throws -> RecordCursor<SlotOutlook> {
    try fetchCursor(
      database,
      sql: """
        SELECT request.number, json_array_length(request.names) AS nameCount, request.state IN ('notDue', 'ready', 'installed') AS isServed,
          request.isForced AND request.state NOT IN ('notDue', 'ready', 'installed') AS isForced,
          -- A wait for a limit is what a plan finds out itself.
          CASE WHEN request.state = 'queued' AND request.waitFor IS NULL THEN coalesce(request.waitUntil, :now)
            WHEN request.state IN ('queued', 'ordering') THEN :now ELSE coalesce(request.nextAttempt, request.dueAt) END AS orderedAt,
          coalesce(request.neededBy, request.requestedAt) AS neededBy, renewal.isPressing, renewal.demandReason, renewal.demandDeadline,
          device.key, device.scope, max(device.lastSeen, coalesce(visit.seenAt, 0)) AS lastSeen, renewal.dueAt, renewal.windowStart IS NOT NULL AS hasWindow,
          renewal.notBefore, renewal.notAfter, renewal.issuedAt, certificate.authority, certificate.issuer,
          certificate.revokedAt IS NOT NULL AS isRevoked,
          request.names, nullif(served.names, request.names) AS otherNames,
          CASE WHEN renewal.request IS NULL AND json_array_length(device.description, '$.certificates') > 0 THEN device.id END AS adopter
        FROM (SELECT max(number) AS number FROM request GROUP BY device, slot) AS newest
          JOIN request ON request.number = newest.number JOIN device INDEXED BY deviceInService ON device.id = request.device
          LEFT JOIN visit ON visit.device = request.device LEFT JOIN renewal ON renewal.device = request.device AND renewal.slot = request.slot
          LEFT JOIN certificate INDEXED BY certificateInForce ON certificate.request = renewal.request
          LEFT JOIN request AS served ON served.id = renewal.request AND served.number <> request.number
        WHERE request.state <> 'superseded' AND device.retiredAt IS NULL
        """,
      arguments: ["now": now.milliseconds])
  }
}

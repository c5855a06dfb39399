import GRDB
import PKI
import SchedulerAPI

/// The certificate that a request led to.
struct CertificateRecord: Codable, FetchableRecord, PersistableRecord, Sendable {
  static let databaseTableName = "certificate"

  let request: RequestID
  /// PEM, leaf first, no root.
  let chain: String
  let fingerprint: Fingerprint
  let serial: String
  let issuer: String?
  /// The directory of the CA that issued it.
  let authority: String
  let notBefore: Instant
  let notAfter: Instant
  var installAt: Instant
  let issuedAt: Instant
  /// When its device was handed it first.
  var deliveredAt: Instant?
  var installedAt: Instant?
  var revokedAt: Instant?
  /// When it is offered to its device once more; nil when the device has confirmed it, or something newer took its place.
  var announceAt: Instant?
  /// When it was seen in use.
  var servedAt: Instant?
  /// When it is looked for at its names; nil when it was seen, or is not looked for.
  var observeAt: Instant?

  /// It is of a CA that is there to try things out.
  var isForTrial: Bool { IssuerName.isForTrial(issuer) }

  var validity: Validity { Validity(notBefore: notBefore, notAfter: notAfter) }

  /// What a slot got for exactly these names, in whatever order, after that moment; the newest first.
  static func issued(
    for names: [DNSName], to device: DeviceID, slot: String, after moment: Instant, from database: Database
  ) throws -> [CertificateRecord] {
    let rows = try Row.fetchAll(
      database,
      sql: """
        SELECT certificate.*, names FROM certificate JOIN request ON request.id = certificate.request
        WHERE device = ? AND slot = ? AND issuedAt > ? ORDER BY number DESC
        """,
      arguments: [device.rawValue, slot, moment.milliseconds])
    return try rows.filter { Set(try [DNSName](stored: $0["names"])) == Set(names) }.map(CertificateRecord.init(row:))
  }

  /// Those that are to be offered once more.
  static func toAnnounce(_ count: Int, at now: Instant, from database: Database) throws -> [CertificateRecord] {
    try fetchAll(
      database, cached: "SELECT * FROM certificate WHERE announceAt <= ? ORDER BY announceAt LIMIT ?", arguments: [now.milliseconds, count])
  }

  /// When the next one is to be offered once more.
  static func nextAnnouncement(from database: Database) throws -> Instant? {
    try Instant.fetchOne(database, cached: "SELECT min(announceAt) FROM certificate WHERE announceAt IS NOT NULL")
  }

  /// Those that are to be looked for at their names, longest waiting first.
  static func toObserve(_ count: Int, at now: Instant, from database: Database) throws -> [CertificateRecord] {
    try fetchAll(
      database, cached: "SELECT * FROM certificate WHERE observeAt <= ? ORDER BY observeAt LIMIT ?", arguments: [now.milliseconds, count])
  }

  /// When the next one is to be looked for.
  static func nextObservation(after now: Instant, from database: Database) throws -> Instant? {
    try Instant.fetchOne(database, cached: "SELECT min(observeAt) FROM certificate WHERE observeAt > ?", arguments: [now.milliseconds])
  }

  /// Those with this fingerprint: one, unless a CA has answered twice.
  static func with(_ fingerprint: Fingerprint, from database: Database) throws -> [CertificateRecord] {
    try fetchAll(database, sql: "SELECT * FROM certificate WHERE fingerprint = ?", arguments: [fingerprint.hex])
  }

  /// Those with this serial number: hexadecimal digits, in whatever case, with or without colons and zeros before them.
  static func with(serial: String, from database: Database) throws -> [CertificateRecord] {
    let digits = String(serial.lowercased().filter { $0 != ":" }.drop { $0 == "0" })
    return try fetchAll(database, sql: "SELECT * FROM certificate WHERE ltrim(serial, '0') = ? LIMIT 100", arguments: [digits])
  }

  /// Those of a device that are valid, or will be, and not revoked.
  static func inForce(of device: DeviceID, at now: Instant, from database: Database) throws -> [CertificateRecord] {
    try fetchAll(
      database,
      sql: """
        SELECT certificate.* FROM certificate JOIN request ON request.id = certificate.request
        WHERE device = ? AND notAfter > ? AND revokedAt IS NULL ORDER BY number
        """,
      arguments: [device.rawValue, now.milliseconds])
  }

  /// Those of a device are not offered any more, and not looked for at its names.
  static func forgetMoments(of device: DeviceID, in database: Database) throws {
    try database.execute(
      sql: "UPDATE certificate SET announceAt = NULL, observeAt = NULL WHERE request IN (SELECT id FROM request WHERE device = ?)",
      arguments: [device.rawValue])
  }

  static func of(_ request: RequestID, from database: Database) throws -> CertificateRecord? {
    try fetchOne(database, sql: "SELECT * FROM certificate WHERE request = ?", arguments: [request.rawValue])
  }
}

import GRDB
import PKI
import SchedulerAPI

/// What is to be expected of a device of which nothing is known but a certificate that it has brought with it.
struct AdoptedOutlook {
  let device: DeviceID
  let names: [DNSName]
  let validity: Validity
  /// It is of a CA that is there to try things out.
  let isForTrial: Bool

  /// Those of all such devices, each with its turn.
  static func forEach(by rule: RenewalRule, at now: Instant, from database: Database, _ body: (AdoptedOutlook) -> Void) throws {
    let devices = try DeviceRecord.fetchCursor(
      database,
      sql: """
        SELECT * FROM device WHERE adoptedDueAt IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM request WHERE request.device = device.id AND state <> 'superseded')
        """)
    while let device = try devices.next() {
      guard let certificate = device.adoptedCertificate(by: rule, at: now) else { continue }
      body(
        AdoptedOutlook(device: device.id, names: certificate.names, validity: certificate.validity, isForTrial: certificate.isForTrial))
    }
  }
}

/// Whose turn a plan tells of.
enum PlanSubject {
  /// The newest request of a slot, by its number.
  case request(Int64)
  /// A device that has brought its certificate with it, with these names.
  case adopted(DeviceID, [DNSName])
}

extension RequestRecord {
  /// The names of one whose turn a plan tells of.
  static func names(of subject: PlanSubject, from database: Database) throws -> [DNSName] {
    switch subject {
    case .request(let number): try names(of: number, from: database)
    case .adopted(_, let names): names
    }
  }
}

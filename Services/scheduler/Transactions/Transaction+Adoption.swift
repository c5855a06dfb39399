import GRDB
import PKI
import SchedulerAPI

// Certificates that devices bring with them: a connector that knows nothing of them orders nothing that is not due.
extension Transaction {
  /// What a device told of, as far as it is of use: valid, and of some authority. The one that is valid longest comes first.
  func brought(by device: DeviceRecord) -> [X509Certificate] {
    let told = (device.description?.certificates ?? []).compactMap { try? X509Certificate.list(pem: $0, atMost: 1).first }
    return told.filter { !$0.isSelfIssued && $0.validity.isValid(at: now) && !$0.names.isEmpty }.sorted { $0.notAfter > $1.notAfter }
  }

  /// When a certificate of which only itself is known is due; one for trials is at once.
  func dueAt(_ certificate: X509Certificate) -> Instant {
    guard !IssuerName.isForTrial(certificate.issuerCommonName) else { return now }
    return RenewalSchedule(certificate.validity, issuedAt: certificate.notBefore).dueAt(by: settings.renewalRule)
  }

  /// The connector may have nothing of a device that has told of certificates: then it is asked for a CSR when the first of them is due.
  mutating func adopt(_ device: DeviceRecord) throws {
    var due: Instant?
    if try RequestRecord.slots(of: device.id, from: database).isEmpty { due = brought(by: device).map(dueAt).min() }
    guard due != device.adoptedDueAt else { return }
    try database.execute(sql: "UPDATE device SET adoptedDueAt = ? WHERE id = ?", arguments: [due?.milliseconds, device.id.rawValue])
    hasWork = true
  }

  /// Devices whose certificates that they brought with them have come due. Without an authority nothing can be ordered for them.
  func adoptedDue(_ count: Int) throws -> [DeviceRecord] {
    settings.authority == nil ? [] : try DeviceRecord.adoptedDue(count, at: now, from: database)
  }

  /// Asks such a device for a CSR; one that does not hear it is asked when it comes again.
  mutating func askForAdopted(_ device: DeviceRecord) throws {
    var device = device
    device.adoptedDueAt = nil
    try device.update(database)
    guard let certificate = brought(by: device).first(where: { dueAt($0) <= now }) else { return }
    try recordSparingly(
      Event(
        .renewalDue, "The certificate for \(certificate.names.summary), which the device brought with it, is due; the device is asked for a CSR.",
        device: device.id))
    wish(
      RenewalWish(
        slot: Fleet.Application.standardSlot, fingerprint: certificate.fingerprint, names: certificate.names, reason: .due,
        deadline: certificate.notAfter),
      from: device.id)
  }
}

extension X509Certificate {
  var validity: Validity { Validity(notBefore: notBefore, notAfter: notAfter) }
}

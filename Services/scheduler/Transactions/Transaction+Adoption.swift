import GRDB
import PKI
import SchedulerAPI

// Certificates that devices bring with them: a connector that knows nothing of them orders nothing that is not due.
extension Transaction {
  /// What a device told of, as far as it is of use: valid, and of some authority; the best first.
  func brought(by device: DeviceRecord) -> [X509Certificate] { device.certificates.filter { $0.validity.isValid(at: now) } }

  /// When a certificate of which only itself is known is due.
  func dueAt(_ certificate: X509Certificate) -> Instant { certificate.dueAt(by: settings.renewalRule) }

  /// The certificate by which the connector goes that knows nothing of a device but what that told of.
  func adopted(by device: DeviceRecord) throws -> X509Certificate? {
    guard device.retiredAt == nil, try RequestRecord.slots(of: device.id, from: database).isEmpty else { return nil }
    return device.adoptedCertificate(by: settings.renewalRule, at: now)
  }

  /// The connector may have nothing of a device that has told of certificates: then it is asked for a CSR when the first of them is due.
  mutating func adopt(_ device: DeviceRecord) throws {
    let due = try adopted(by: device).map(dueAt)
    guard due != device.adoptedDueAt else { return }
    try lookAtAdopted(of: device, at: due)
    reconsider(device.id)
    hasWork = true
  }

  func lookAtAdopted(of device: DeviceRecord, at moment: Instant?) throws {
    try database.execute(sql: "UPDATE device SET adoptedDueAt = ? WHERE id = ?", arguments: [moment?.milliseconds, device.id.rawValue])
  }

  /// Devices whose certificates that they brought with them have come due. Without an authority nothing can be ordered for them.
  func adoptedDue(_ count: Int) throws -> [DeviceRecord] {
    settings.authority == nil ? [] : try DeviceRecord.adoptedDue(count, at: now, from: database)
  }

  /// What is known of such a certificate when alarms are decided. Nothing was missed before its device was known.
  func facts(of adopted: X509Certificate, of device: DeviceRecord) -> SlotFacts {
    let due = dueAt(adopted)
    return SlotFacts(
      names: adopted.names, outcome: .served, inUse: adopted.isForTrial ? nil : adopted.validity,
      wantedSince: due <= now ? max(due, device.firstSeen) : nil)
  }

  /// How long the certificate is valid that a slot has while one of its requests is under way: that which was served last, else that which its device has
  /// brought with it.
  func validityInUse(before request: RequestRecord) throws -> Validity? {
    if let served = try RequestRecord.served(of: request.device, slot: request.slot, from: database) {
      return try CertificateRecord.of(served.id, from: database)?.validity
    }
    return try DeviceRecord.fetch(request.device, from: database)?.validityBrought(for: request.names, at: now, from: database)
  }

  /// Asks such a device for a CSR; one that does not hear it is asked when it comes again, and one that does not answer each day.
  mutating func askForAdopted(_ device: DeviceRecord) throws {
    reconsider(device.id)
    guard let certificate = try adopted(by: device) else { return try lookAtAdopted(of: device, at: nil) }
    // The rule may have been set anew.
    guard dueAt(certificate) <= now else { return try lookAtAdopted(of: device, at: dueAt(certificate)) }
    let verdict = AlarmVerdict(facts(of: certificate, of: device), at: now)
    try lookAtAdopted(of: device, at: min(verdict.reviewAt ?? .latest, now + .days(1)))
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

extension DeviceRecord {
  /// What it told of that is of some authority. Those for trials come last, and of the others the one first that is valid longest.
  fileprivate var certificates: [X509Certificate] {
    let told = (description?.certificates ?? []).compactMap { try? X509Certificate.list(pem: $0, atMost: 1).first }
    return told.filter { !$0.isSelfIssued && !$0.names.isEmpty }
      .sorted { ($1.isForTrial ? 1 : 0, $0.notAfter) > ($0.isForTrial ? 1 : 0, $1.notAfter) }
  }

  /// Of the certificates that it told of the one that is due first, of several for the same names the newest. One that it was already asked for is wanted all
  /// the more when it has ended.
  func adoptedCertificate(by rule: RenewalRule, at now: Instant) -> X509Certificate? {
    var seen: Set<Set<DNSName>> = []
    let newest = certificates.filter { $0.validity.isValid(at: now) && seen.insert(Set($0.names)).inserted }
    return newest.min { $0.dueAt(by: rule) < $1.dueAt(by: rule) } ?? (adoptedDueAt == nil ? nil : certificates.first)
  }

  /// How long the certificate for exactly these names is valid that it told of, as long as the connector has served none; one that ends meanwhile still
  /// counts. What was over before the device was known nobody misses, and what is revoked, or for trials, nobody trusts.
  func validityBrought(for names: [DNSName], at now: Instant, from database: Database) throws -> Validity? {
    try certificates.first { certificate in
      try Set(certificate.names) == Set(names) && certificate.notBefore <= now && firstSeen < certificate.notAfter && !certificate.isForTrial
        && CertificateRecord.with(certificate.fingerprint, from: database).allSatisfy { $0.revokedAt == nil }
    }?.validity
  }
}

extension X509Certificate {
  var validity: Validity { Validity(notBefore: notBefore, notAfter: notAfter) }

  /// It is of a CA that is there to try things out.
  var isForTrial: Bool { IssuerName.isForTrial(issuerCommonName) }

  /// When its successor is due, as far as it tells itself; that of one for trials always is.
  fileprivate func dueAt(by rule: RenewalRule) -> Instant {
    isForTrial ? notBefore : RenewalSchedule(validity, issuedAt: notBefore).dueAt(by: rule)
  }
}

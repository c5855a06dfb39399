import ACMEClientAPI
import GRDB
import PKI
import SchedulerAPI
import ServiceRuntime
import Varlink

extension Fleet {
  /// What is to be revoked.
  enum RevocationTarget: Sendable {
    case fingerprint(Fingerprint)
    /// In hexadecimal digits, as people write them.
    case serial(String)
    /// All certificates of a device that are valid and not revoked.
    case device(DeviceID)
  }

  /// Has certificates revoked by the CA (RFC 8555, section 7.6), and their devices asked for others. After a compromise of the key nothing is ordered
  /// for it any more, whether the CA can be reached or not.
  /// - Returns: the serial numbers of those that are revoked now.
  func revoke(_ target: RevocationTarget, for reason: RevocationReason, by client: VarlinkClient) async throws -> [String] {
    let administrator = PeerCredentials.administrator
    let selected = try await transact { transaction in
      let selected = try transaction.certificates(target)
      if reason == .keyCompromise {
        for certificate in selected {
          if let request = try RequestRecord.fetch(certificate.request, from: transaction.database) {
            try transaction.markCompromised(request.keyPin, from: transaction.now)
          }
        }
      }
      return selected
    }
    var revoked: [String] = []
    var failures: [String] = []
    for certificate in selected {
      do {
        try await revoke(certificate, for: reason, by: client)
        RehearsedDeath.at("scheduler.certificateRevoked")
        try await transact { try $0.noteRevoked(certificate.request, for: reason, by: administrator) }
        revoked.append(certificate.serial)
      } catch let failed as ACMEClient.Failed {
        failures.append("\(certificate.serial): \(AttemptFailure(failed.problem).explanation)")
      }
    }
    guard failures.isEmpty else {
      throw Refusal(
        .notRevoked, "\(failures.count) of \(selected.count) certificates could not be revoked. \(failures.prefix(3).joined(separator: " "))")
    }
    return revoked
  }

  private func revoke(_ certificate: CertificateRecord, for reason: RevocationReason, by client: VarlinkClient) async throws {
    let leaf: X509Certificate
    do { leaf = try CertificateChain(pem: certificate.chain).leaf } catch { throw Refusal(.notRevoked, "The certificate cannot be read: \(error)") }
    // A CA that is not set any more has the account still, by its key.
    let former = Authority(directory: certificate.authority, accountKey: settings.current.authority?.accountKey)
    _ = try await client.call(
      ACMEClient.Revoke.self,
      .init(authority: settings.current.authority(at: certificate.authority) ?? former, certificate: leaf.pem, reason: reason.code),
      timeLimit: .seconds(60))
  }
}

extension Transaction {
  fileprivate func certificates(_ target: Fleet.RevocationTarget) throws -> [CertificateRecord] {
    let found: [CertificateRecord]
    let which: String
    switch target {
    case .device(let device):
      guard try DeviceRecord.fetch(device, from: database) != nil else { throw NotFound.device(device) }
      return try CertificateRecord.inForce(of: device, at: now, from: database)
    case .fingerprint(let fingerprint):
      (found, which) = (try CertificateRecord.with(fingerprint, from: database), "with the fingerprint \(fingerprint.hex)")
    case .serial(let serial):
      (found, which) = (try CertificateRecord.with(serial: serial, from: database), "with the serial number \(serial.line(of: 100))")
    }
    guard let first = found.first else { throw NotFound(what: "certificate", which: which) }
    guard Set(found.map(\.fingerprint)).count == 1 else {
      throw Refusal(.badMessage, "\(found.count) certificates have this serial number; give the fingerprint of the one that is meant.")
    }
    return [first]
  }

  /// A certificate is revoked: its device is told, and asked for another CSR at once; a successor that waits for its day is installed now.
  fileprivate mutating func noteRevoked(_ id: RequestID, for reason: RevocationReason, by administrator: String) throws {
    guard var certificate = try CertificateRecord.of(id, from: database), let request = try RequestRecord.fetch(id, from: database) else { return }
    if certificate.revokedAt == nil {
      (certificate.revokedAt, certificate.announceAt) = (now, nil)
      try certificate.update(database)
      try record(
        Event(
          .certificateRevoked, "\(administrator) had the certificate for \(request.names.summary) revoked: \(reason.rawValue).",
          device: request.device, request: id, serial: certificate.serial))
      announce(request)
    }
    guard let device = try DeviceRecord.fetch(request.device, from: database), device.retiredAt == nil else { return }
    if let renewal = try RenewalRecord.of(id, from: database) {
      try demand(RenewalDemand(reason: reason == .keyCompromise ? .keyCompromise : .revoked, from: now), of: renewal)
    } else if let newest = try RequestRecord.served(of: request.device, slot: request.slot, from: database), newest.phase == .ready,
      var successor = try CertificateRecord.of(newest.id, from: database), successor.installAt > now, successor.revokedAt == nil
    {
      (successor.installAt, successor.announceAt) = (now, now + Self.offerPause)
      try successor.update(database)
      announce(newest)
    }
  }
}

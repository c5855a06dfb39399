import GRDB
import PKI
import SchedulerAPI
import ServiceRuntime

extension Fleet {
  /// A device was handed its certificate. That may come again and again: the first time counts.
  func noteDelivered(_ request: RequestID, to device: DeviceID) async throws {
    try await transact { transaction in
      let (request, found) = try transaction.certificate(for: request, of: device)
      guard found.deliveredAt == nil else { return }
      var certificate = found
      certificate.deliveredAt = transaction.now
      try certificate.update(transaction.database)
      transaction.reconsider(request.device)
    }
  }

  /// A device has installed its certificate. Older ones of the slot are forgotten only now.
  func confirm(_ fingerprint: Fingerprint, for request: RequestID, of device: DeviceID) async throws {
    try await transact { transaction in
      let (request, certificate) = try transaction.certificate(for: request, of: device)
      guard fingerprint == certificate.fingerprint else {
        throw Refusal(.badMessage, "The request \(request.id) led to another certificate than the one that the device has installed.")
      }
      guard request.phase == .ready else { return }
      var installed = certificate
      installed.deliveredAt = certificate.deliveredAt ?? transaction.now
      installed.installedAt = transaction.now
      installed.observeAt = transaction.now + ServedWatch.firstLook
      try installed.update(transaction.database)
      try transaction.handle(.installed, of: request)
      try transaction.record(
        Event(
          .certificateInstalled, "The device confirmed the certificate for \(request.names.summary).", device: device, request: request.id,
          serial: certificate.serial))
    }
    RehearsedDeath.at("scheduler.receiptStored")
  }

  /// A device was asked for a CSR, or has answered.
  func noteAnswer(_ answer: RenewalAnswer, slot: String, of device: DeviceID) async throws {
    try await transact { transaction in
      switch answer {
      case .told: try transaction.advance(slot: slot, of: device, .told)
      case .declined: try transaction.advance(slot: slot, of: device, .declined)
      // It is believed when the CSR is here.
      case .accepted: break
      }
    }
  }

  /// A device could not install its certificate. It is offered again.
  func noteInstallFailure(_ reason: String, for request: RequestID, of device: DeviceID) async throws {
    let reason = reason.line(of: 500)
    try await transact { transaction in
      let (request, _) = try transaction.certificate(for: request, of: device)
      try transaction.recordSparingly(
        Event(
          .installFailed, "The device could not install the certificate for \(request.names.summary): \(reason)", device: device, request: request.id)
      )
    }
  }
}

extension Transaction {
  fileprivate func certificate(for id: RequestID, of device: DeviceID) throws -> (RequestRecord, CertificateRecord) {
    guard let request = try RequestRecord.fetch(id, from: database), request.device == device else { throw NotFound.request(id) }
    guard let certificate = try CertificateRecord.of(id, from: database) else {
      throw Refusal(.badMessage, "The request \(id) has no certificate yet.")
    }
    return (request, certificate)
  }
}

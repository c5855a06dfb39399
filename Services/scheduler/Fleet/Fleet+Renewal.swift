import PKI
import SchedulerAPI

extension Fleet {
  /// What an administrator wants tried again: one request, or the newest requests of slots by device, name or both.
  struct Selection: Sendable {
    var request: RequestID?
    var device: DeviceID?
    var name: DNSName?

    /// Nothing is named: all that failed are meant, and never all that are well.
    var isEverything: Bool { request == nil && device == nil && name == nil }
  }

  /// Ends the pause of failed requests. With `force` those with a certificate are ordered again with the same CSR, as new requests, and no limit that
  /// the CA is known to have holds them back.
  /// - Returns: the requests that wait for their turn now.
  func renew(_ selection: Selection, force: Bool) async throws -> [RequestID] {
    let (queued, refusal) = try await transact { transaction -> ([RequestID], Refusal?) in
      let database = transaction.database
      if let device = selection.device, try DeviceRecord.fetch(device, from: database) == nil {
        throw NotFound.device(device)
      }
      let selected: [RequestRecord]
      if let id = selection.request {
        guard let request = try RequestRecord.fetch(id, from: database) else { throw NotFound.request(id) }
        selected = [request]
      } else {
        selected = try RequestRecord.newestOfSlots(
          of: selection.device, name: selection.name, onlyFailed: selection.isEverything, from: database)
        if let name = selection.name, selected.isEmpty { throw NotFound(what: "request", which: "for \(name)") }
      }
      guard transaction.settings.authority != nil else {
        throw Refusal(.notConfigured, "No certificate authority is set yet; set authority.directory.")
      }
      try transaction.tryAuthoritiesNow()
      var queued: [RequestID] = []
      var refusal: Refusal?
      for request in selected {
        do {
          if let id = try transaction.renew(request, force: force && !selection.isEverything) { queued.append(id) }
        } catch let refused as Refusal {
          // One that may not be ordered any more does not keep the others from it.
          refusal = refusal ?? refused
          try transaction.record(
            Event(
              .requestRefused, "\(refused.word.rawValue): \(refused.text)", device: request.device, request: request.id, name: refused.name))
        }
      }
      if queued.isEmpty, !selection.isEverything { refusal = refusal ?? selected.compactMap { $0.refusesToHurry(at: transaction.now) }.first }
      return (queued, refusal)
    }
    if queued.isEmpty, let refusal { throw refusal }
    return queued
  }
}

extension RequestRecord {
  /// Why there is nothing to try again: its turn has not come, for a limit of the CA.
  fileprivate func refusesToHurry(at now: Instant) -> Refusal? {
    guard let waitUntil, let waitFor, waitUntil > now else { return nil }
    return Refusal(.rateLimited, "The request \(id) waits for \(waitFor) until \(waitUntil); --force has it ordered now all the same.")
  }
}

extension Transaction {
  /// Ends the pause of a failed request; with `force` also that for a limit of the CA, and one that has its certificate is ordered again.
  /// - Returns: the request that waits for its turn now.
  fileprivate mutating func renew(_ request: RequestRecord, force: Bool) throws -> RequestID? {
    switch request.phase {
    case .failed, .waitingForName,
      .notDue where force:
      if try claimLostNames(of: request) { return nil }
      try handle(.renewed, of: request)
      return request.id
    case .queued where force && request.waitUntil != nil:
      try endWait(of: request)
      return request.id
    default:
      return force && request.phase.isServed ? try reorder(request, force: true) : nil
    }
  }

  /// A new request with the CSR of one that has its certificate.
  /// - Parameter force: even if that is not due.
  mutating func reorder(_ request: RequestRecord, force: Bool) throws -> RequestID {
    guard let device = try DeviceRecord.fetch(request.device, from: database) else { throw NotFound.device(request.device) }
    let csr: SigningRequest
    do { csr = try SigningRequest(der: Array(request.csr)) } catch { throw Refusal(error) }
    let replaced = try CertificateRecord.of(request.id, from: database)?.fingerprint
    let application = Fleet.Application(csr: csr.pem, slot: request.slot, dnsNames: nil, replaces: replaced, force: force, isByAdministrator: true)
    return try submit(csr, application, of: device).id
  }
}

import GRDB
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
    let selected = try await store.read { try selection.requests(from: $0) }
    var (queued, refusal): ([RequestID], Refusal?) = ([], nil)
    for portion in Transaction.portions(of: selected) {
      let outcome = try await transact { transaction in
        guard transaction.settings.authority != nil else {
          throw Refusal(.notConfigured, "No certificate authority is set yet; set authority.directory.")
        }
        try transaction.tryAuthoritiesNow()
        return try transaction.renew(portion, force: force && !selection.isEverything)
      }
      queued += outcome.queued
      refusal = refusal ?? outcome.refused ?? (selection.isEverything ? nil : outcome.waiting)
    }
    if queued.isEmpty, let refusal { throw refusal }
    return queued
  }
}

extension Fleet.Selection {
  fileprivate func requests(from database: Database) throws -> [RequestID] {
    if let device, try DeviceRecord.fetch(device, from: database) == nil { throw NotFound.device(device) }
    if let request {
      guard try RequestRecord.fetch(request, from: database) != nil else { throw NotFound.request(request) }
      return [request]
    }
    let requests = try RequestRecord.newestOfSlots(of: device, name: name, onlyFailed: isEverything, from: database)
    if let name, requests.isEmpty { throw NotFound(what: "request", which: "for \(name)") }
    return requests.map(\.id)
  }
}

extension RequestRecord {
  /// Why there is nothing to try again: its turn has not come, for a limit of the CA.
  fileprivate func refusesToHurry(at now: Instant) -> Refusal? {
    guard let waitUntil, let waitReason, waitUntil > now else { return nil }
    return Refusal(.rateLimited, "The request \(id) waits for \(waitReason) until \(waitUntil); --force has it ordered now all the same.")
  }
}

extension Transaction {
  /// Ends the pauses of these requests, or orders them again.
  /// - Returns: those that wait for their turn now, and the first reasons why others may not be ordered, or wait on.
  fileprivate mutating func renew(
    _ requests: ArraySlice<RequestID>, force: Bool
  ) throws -> (queued: [RequestID], refused: Refusal?, waiting: Refusal?) {
    var outcome: (queued: [RequestID], refused: Refusal?, waiting: Refusal?) = ([], nil, nil)
    for request in try requests.compactMap({ try RequestRecord.fetch($0, from: database) }) {
      do {
        if let id = try renew(request, force: force) { outcome.queued.append(id) }
        outcome.waiting = outcome.waiting ?? request.refusesToHurry(at: now)
      } catch let refusal as Refusal {
        // One that may not be ordered any more does not keep the others from it.
        outcome.refused = outcome.refused ?? refusal
        try record(
          Event(
            .requestRefused, "\(refusal.word.rawValue): \(refusal.text)", device: request.device, request: request.id, name: refusal.name))
      }
    }
    return outcome
  }

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

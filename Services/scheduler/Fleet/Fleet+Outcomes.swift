import ACMEClientAPI
import GRDB
import Metrics
import PKI
import SchedulerAPI

extension Fleet {
  /// A certificate is here: it is kept, and then its device is told.
  /// - Parameter date: the CA's clock, where it has shown one.
  /// - Returns: whether it was still wanted.
  @discardableResult
  func keep(
    _ chain: CertificateChain, for id: RequestID, newOrders: Int, replacesRefused: Bool = false, date: Instant? = nil
  ) async throws -> Bool {
    let isKept = try await transact { transaction in
      guard var request = try RequestRecord.fetch(id, from: transaction.database), request.phase == .ordering else { return false }
      try transaction.settle(request, newOrders: newOrders, replacesRefused: replacesRefused)
      request.newOrders = newOrders
      let validity = Validity(notBefore: chain.leaf.notBefore, notAfter: chain.leaf.notAfter)
      let installAt = try transaction.installAt(for: request)
      try CertificateRecord(
        request: id, chain: chain.pem, fingerprint: chain.leaf.fingerprint, serial: chain.leaf.serial, issuer: chain.leaf.issuerCommonName,
        authority: request.authority, notBefore: validity.notBefore, notAfter: validity.notAfter,
        installAt: installAt, issuedAt: transaction.now,
        announceAt: installAt > transaction.now ? installAt : transaction.now + Transaction.offerPause
      ).insert(transaction.database)
      try transaction.schedule(request, validity, issuedAt: transaction.now)
      try AttemptRecord.end(of: id, failure: nil, at: transaction.now, in: transaction.database)
      try transaction.handle(.issued, of: request)
      try transaction.noteOrder(from: request.authority, nil)
      if let date { try transaction.reviewOwnClock(by: date, of: request.authority) }
      try transaction.record(
        Event(
          .certificateIssued, "The certificate for \(request.names.summary) was issued, valid until \(validity.notAfter).", device: request.device,
          request: id, serial: chain.leaf.serial))
      return true
    }
    if isKept { Counter(label: "scheduler_orders", dimensions: [("outcome", "issued")]).increment() }
    return isKept
  }

  /// An attempt has failed: that is kept with its reason, and then its device is told.
  /// - Parameter newOrders: how many newOrder requests all attempts have cost, where that is known.
  /// - Returns: whether a certificate was still wanted.
  @discardableResult
  func fail(_ id: RequestID, _ failure: AttemptFailure, newOrders: Int? = nil) async throws -> Bool {
    let isKept = try await transact { transaction in
      guard var request = try RequestRecord.fetch(id, from: transaction.database), request.phase == .ordering else { return false }
      let isOrderMade = newOrders.map { $0 > request.newOrders } ?? !failure.awaitsName
      if let newOrders {
        try transaction.settle(request, newOrders: newOrders, replacesRefused: false)
        request.newOrders = newOrders
      }
      if failure.awaitsName {
        try transaction.postpone(request, failure, isOrderMade: isOrderMade)
        return true
      }
      // What is wrong with the CA is told once, and not for each device.
      try transaction.fail(request, failure, isTold: failure.concernsAuthority)
      try transaction.noteOrder(from: request.authority, failure)
      return true
    }
    if isKept { Counter(label: "scheduler_orders", dimensions: [("outcome", failure.error.rawValue)]).increment() }
    return isKept
  }

  /// Whether an order for the request is still wanted.
  func isOrdering(_ id: RequestID) async throws -> Bool {
    try await store.read { try RequestRecord.fetch(id, from: $0)?.phase == .ordering }
  }

  /// The certificate (leaf, PEM) that the one for this request takes the place of: the newest of the slot, if it is of the same CA and has a name in
  /// common (RFC 9773, section 5).
  func replaced(by request: RequestRecord, at authority: Authority) async throws -> String? {
    try await store.read { database in
      guard let served = try RequestRecord.served(of: request.device, slot: request.slot, from: database), served.id != request.id,
        !Set(served.names).isDisjoint(with: request.names), let certificate = try CertificateRecord.of(served.id, from: database),
        DirectoryURL(certificate.authority) == DirectoryURL(authority.directory)
      else { return nil }
      return try? CertificateChain(pem: certificate.chain).leaf.pem
    }
  }

  /// acme-client keeps nothing for the request any more.
  func forgetHeld(_ id: RequestID) async throws {
    try await store.write { database in
      try database.execute(sql: "UPDATE request SET isHeldByClient = 0 WHERE id = ?", arguments: [id.rawValue])
    }
  }
}

extension Transaction {
  /// The attempt that is under way has failed.
  /// - Parameter isTold: whether an event of another kind tells of it.
  mutating func fail(_ request: RequestRecord, _ failure: AttemptFailure, isTold: Bool = false) throws {
    let failure = failure.bounded(by: settings.limits ?? AuthorityLimits(), for: request.names)
    try AttemptRecord.end(of: request.id, failure: failure, at: now, in: database)
    try settle(request, failure)
    try handle(.failed(failure, jitter: chance.fraction()), of: request)
    if failure.isFinal { try advance(slot: request.slot, of: request.device, .failedForGood) }
    guard !isTold else { return }
    // Attempts are few, by their pauses: each is told.
    try record(
      Event(.orderFailed, "\(failure.error.rawValue): \(failure.explanation)", device: request.device, request: request.id, name: failure.name))
  }

  /// Nothing is ordered, for a name cannot be answered for yet: that is no attempt, and what was spent for it is given back, but for an order that was made
  /// before and came to nothing. The alarm tells of it.
  fileprivate mutating func postpone(_ request: RequestRecord, _ failure: AttemptFailure, isOrderMade: Bool) throws {
    try AttemptRecord.dropOpen(of: request.id, from: database)
    try settle(request, failure, isOrderMade: isOrderMade)
    try handle(.failed(failure, jitter: 0), of: request)
    try noteNoOrder(from: request.authority)
  }

  /// When the device takes the new certificate into use: near the end of the one it has, if that is for the same names from the same CA, else
  /// at once.
  fileprivate func installAt(for request: RequestRecord) throws -> Instant {
    for older in try RequestRecord.current(of: request.device, slot: request.slot, from: database)
    where older.phase.isServed && older.id != request.id && Set(older.names).isSuperset(of: request.names) {
      guard let certificate = try CertificateRecord.of(older.id, from: database), certificate.validity.isValid(at: now),
        DirectoryURL(certificate.authority) == DirectoryURL(request.authority), certificate.revokedAt == nil
      else { continue }
      // What is to be replaced ahead of its time is not to be used up.
      let renewal = try RenewalRecord.of(older.id, from: database)
      let schedule = renewal?.schedule ?? RenewalSchedule(certificate.validity, issuedAt: certificate.issuedAt)
      guard !schedule.isPressing, renewal?.demand == nil else { continue }
      return certificate.validity.successorInstallAt(
        dueAt: schedule.dueAt(by: settings.renewalRule), installDays: settings.devices.installDays, now: now)
    }
    return now
  }
}

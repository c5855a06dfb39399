import GRDB
import Metrics
import PKI
import SchedulerAPI

extension Fleet {
  /// A certificate is here: it is kept, and then its device is told.
  /// - Returns: whether it was still wanted.
  @discardableResult
  func keep(_ chain: CertificateChain, for id: RequestID, newOrders: Int) async throws -> Bool {
    let isKept = try await transact { transaction in
      guard var request = try RequestRecord.fetch(id, from: transaction.database), request.phase == .ordering else { return false }
      request.newOrders = newOrders
      let validity = Validity(notBefore: chain.leaf.notBefore, notAfter: chain.leaf.notAfter)
      try CertificateRecord(
        request: id, chain: chain.pem, fingerprint: chain.leaf.fingerprint, serial: chain.leaf.serial, issuer: chain.leaf.issuerCommonName,
        authority: request.authority, notBefore: validity.notBefore, notAfter: validity.notAfter,
        installAt: try transaction.installAt(for: request), issuedAt: transaction.now
      ).insert(transaction.database)
      try AttemptRecord.end(of: id, failure: nil, at: transaction.now, in: transaction.database)
      try transaction.handle(.issued, of: request)
      try transaction.record(
        Event(
          .certificateIssued, "The certificate for \(request.names.summary) was issued, valid until \(validity.notAfter).", device: request.device,
          request: id))
      return true
    }
    if isKept { Counter(label: "scheduler_orders", dimensions: [("outcome", "issued")]).increment() }
    return isKept
  }

  /// An attempt has failed: that is kept with its reason, and then its device is told.
  /// - Returns: whether a certificate was still wanted.
  @discardableResult
  func fail(_ id: RequestID, _ failure: AttemptFailure) async throws -> Bool {
    let isKept = try await transact { transaction in
      guard let request = try RequestRecord.fetch(id, from: transaction.database), request.phase == .ordering else { return false }
      try transaction.fail(request, failure)
      return true
    }
    if isKept { Counter(label: "scheduler_orders", dimensions: [("outcome", failure.error)]).increment() }
    return isKept
  }

  /// Whether an order for the request is still wanted.
  func isOrdering(_ id: RequestID) async throws -> Bool {
    try await store.read { try RequestRecord.fetch(id, from: $0)?.phase == .ordering }
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
  mutating func fail(_ request: RequestRecord, _ failure: AttemptFailure) throws {
    try AttemptRecord.end(of: request.id, failure: failure, at: now, in: database)
    try handle(.failed(failure, jitter: chance.fraction()), of: request)
    try recordSparingly(
      Event(.orderFailed, "\(failure.error): \(failure.explanation)", device: request.device, request: request.id, name: failure.name))
  }

  /// When the device takes the new certificate into use: near the end of the one it has, if that is for the same names from the same CA, else
  /// at once.
  fileprivate func installAt(for request: RequestRecord) throws -> Instant {
    for older in try RequestRecord.current(of: request.device, slot: request.slot, from: database)
    where older.phase.isServed && older.id != request.id && Set(older.names).isSuperset(of: request.names) {
      guard let certificate = try CertificateRecord.of(older.id, from: database), certificate.validity.isValid(at: now),
        DirectoryURL(certificate.authority) == DirectoryURL(request.authority), certificate.revokedAt == nil
      else { continue }
      return certificate.validity.successorInstallAt(
        renewDays: settings.devices.renewDays, installDays: settings.devices.installDays, now: now)
    }
    return now
  }
}

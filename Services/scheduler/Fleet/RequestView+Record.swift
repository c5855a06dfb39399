import ACMEClientAPI
import PKI
import SchedulerAPI

extension RequestView {
  /// A request as its device sees it. One whose turn does not come because of an `outage` has failed for now, and its device is told why.
  init(
    _ request: RequestRecord, certificate: CertificateRecord?, progress: OrderBoard.Progress?, outage: AuthorityHealth.Outage?, now: Instant
  ) {
    let state = RequestState(request.phase, certificate: certificate, progress: progress)
    self.init(id: request.id, slot: request.slot, state: state, trace: request.trace)
    switch request.phase {
    case .notDue(let moment): dueAt = moment
    case .awaitingApproval(let awaited): name = awaited
    case .ordering: name = progress?.name
    case .waitingForName(let reason, let again):
      (name, dueAt) = (reason.name, again)
      failure = RequestFailure(reason, again: again, now: now)
    case .failed(let reason, let again): failure = RequestFailure(reason, again: again, now: now)
    case .ready, .installed: if state != .revoked { self.certificate = certificate.map(DeliveredCertificate.init) }
    case .queued:
      dueAt = request.waitUntil
      guard let outage else { break }
      self.state = .failed
      failure = RequestFailure(outage.failure, again: outage.retryAt, now: now)
    case .superseded: break
    }
  }
}

extension RequestState {
  /// The state's word for others. `certificate` is what the request led to.
  init(_ phase: RequestPhase, certificate: CertificateRecord? = nil, progress: OrderBoard.Progress?) {
    self =
      switch phase {
      case .ready where certificate?.revokedAt != nil, .installed where certificate?.revokedAt != nil: .revoked
      case .notDue: .notDue
      case .awaitingApproval: .awaitingApproval
      case .queued: .queued
      case .waitingForName: .waitingForName
      case .ordering: progress?.state ?? .ordering
      case .failed: .failed
      case .ready: .ready
      case .installed: .installed
      case .superseded: .superseded
      }
  }
}

extension RequestFailure {
  /// A failure with the time until the next attempt, in whole seconds.
  init(_ failure: AttemptFailure, again: Instant?, now: Instant) {
    let seconds = again.map { max(1, ($0 - now + .milliseconds(999)).components.seconds) }
    self.init(
      error: failure.error.rawValue, text: failure.text, name: failure.name, acmeType: failure.acmeType, retryAfter: seconds.map(Int.init),
      final: again == nil
    )
  }
}

extension DeliveredCertificate {
  init(_ certificate: CertificateRecord) {
    self.init(
      chain: certificate.chain, fingerprint: certificate.fingerprint, notBefore: certificate.notBefore, notAfter: certificate.notAfter,
      installAt: certificate.installAt)
  }
}

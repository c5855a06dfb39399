import AppWebsocket
import SchedulerAPI

/// A request in the words of the device protocol.
struct RequestReport: Sendable {
  /// What a device is told of its own accord when a request has come further.
  enum News: Sendable {
    case state(CertificateState)
    case ready(CertificateReady)
    case failed(CertificateFailed)
  }

  let id: ShortText
  private let slot: ShortText
  private let stage: CertificateStage
  private let view: RequestView

  /// Fails for an id or a slot that no device could be told.
  init?(_ view: RequestView) {
    guard let id = ShortText(view.id.rawValue), let slot = ShortText(view.slot), let stage = CertificateStage(rawValue: view.state.rawValue) else {
      return nil
    }
    self.id = id
    self.slot = slot
    self.stage = stage
    self.view = view
  }

  /// The answer to `RequestCertificate`.
  var submitted: RequestCertificateResult { RequestCertificateResult(id: id, state: stage, dueAt: view.dueAt) }

  /// The answer to `GetCertificate`.
  var found: GetCertificateResult {
    let outcome: GetCertificateResult.Outcome? = if let ready { .ready(ready) } else if let failed { .failed(failed) } else { nil }
    return GetCertificateResult(id: id, state: stage, dueAt: view.dueAt, outcome: outcome)
  }

  /// What follows from a state that came by itself.
  var news: News {
    switch (view.state, ready, failed) {
    case (.ready, let ready?, _): .ready(ready)
    case (.failed, _, let failed?): .failed(failed)
    default: .state(CertificateState(id: id, state: stage, dns: view.name))
    }
  }

  /// What a device that has handed in a CSR still has to be told beside the answer: what is there already. Even a certificate that it had before, for
  /// it asks again because it has lost it.
  var outcome: News? {
    if let ready { .ready(ready) } else if let failed { .failed(failed) } else { nil }
  }

  private var ready: CertificateReady? {
    guard let certificate = view.certificate, [.ready, .installed].contains(view.state) else { return nil }
    return CertificateReady(
      id: id, slot: slot, certificate: certificate.chain, notBefore: certificate.notBefore, notAfter: certificate.notAfter,
      fingerprint: certificate.fingerprint, installAt: certificate.installAt)
  }

  private var failed: CertificateFailed? {
    guard let failure = view.failure, view.state == .failed else { return nil }
    let error = ErrorToken(rawValue: failure.error) ?? .internalError
    return CertificateFailed(
      id: id, slot: slot, error: error, errorText: Self.sentence(about: error) ?? failure.text, dns: failure.name,
      acmeType: failure.acmeType, retryAfterSec: failure.retryAfter, final: failure.final)
  }

  /// What is between the connector and its CA is told in general: the cause may name keys and files of the connector, which are for its
  /// administrator alone, who finds it among the events.
  private static func sentence(about error: ErrorToken) -> String? {
    switch error {
    case .notConfigured: "The connector may not order from its CA yet; its administrator has to agree to the CA's terms of service."
    case .accountProblem: "The connector has a problem with its account at the CA; when its administrator has seen to it, this certificate comes."
    case .internalError: "The connector could not get the certificate by a fault of its own; its administrator finds the cause among the events."
    default: nil
    }
  }
}

import NIOConcurrencyHelpers

/// Holds the certificate that is served. A new connection takes what is there at that moment; an open one keeps what it began with.
final class CurrentTLS: Sendable {
  private let held: NIOLockedValueBox<GatewayCertificate>

  init(_ certificate: GatewayCertificate) {
    held = NIOLockedValueBox(certificate)
  }

  var certificate: GatewayCertificate { held.withLockedValue { $0 } }

  /// Serves another certificate from now on.
  func replace(with certificate: GatewayCertificate) { held.withLockedValue { $0 = certificate } }
}

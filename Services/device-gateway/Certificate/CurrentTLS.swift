import NIOConcurrencyHelpers
import NIOCore
import NIOSSL
import PKI

/// Holds the TLS context of the newest certificate. A new connection takes what is there at that moment; an open one keeps what it began with.
final class CurrentTLS: Sendable {
  private let held: NIOLockedValueBox<NIOSSLContext>

  init(_ certificate: GatewayCertificate) throws {
    held = NIOLockedValueBox(try Self.context(certificate))
  }

  var context: NIOSSLContext { held.withLockedValue { $0 } }

  /// Serves another certificate from now on; one that cannot be served leaves the old one in place.
  func replace(with certificate: GatewayCertificate) throws {
    let fresh = try Self.context(certificate)
    held.withLockedValue { $0 = fresh }
  }

  private static func context(_ certificate: GatewayCertificate) throws -> NIOSSLContext {
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: [.certificate(try NIOSSLCertificate(bytes: certificate.certificate.der, format: .der))],
      privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(certificate.key.pem.utf8), format: .pem)))
    configuration.minimumTLSVersion = .tlsv12
    // WebSocket needs HTTP/1.1 here (RFC 6455); a client that would speak HTTP/2 learns it in the handshake (RFC 7301).
    configuration.applicationProtocols = ["http/1.1"]
    // A peer that is gone sends no close_notify; together with the closing handshake of RFC 6455 this is less than the gateway has to end.
    configuration.shutdownTimeout = .milliseconds(500)
    return try NIOSSLContext(configuration: configuration)
  }
}

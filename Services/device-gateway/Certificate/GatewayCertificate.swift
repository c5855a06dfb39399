import NIOCore
import NIOSSL
import PKI

/// What the gateway shows in TLS: a chain of certificates for its key, and the context that serves it. One that cannot be served cannot be made.
struct GatewayCertificate: Sendable {
  /// Who has signed it.
  enum Origin: Sendable, Hashable {
    /// The key itself: trusted by its pin, or by having been fetched.
    case gateway
    /// The CA that the connector orders from.
    case authority
  }

  let chain: CertificateChain
  let origin: Origin
  /// The trust anchor for those who import one, in PEM: the certificate itself while nobody else has signed it; then the CA's root where this machine knows
  /// it, else the highest certificate that the CA has sent.
  let anchor: String
  let context: NIOSSLContext

  /// - Parameter roots: PEM of the roots that this machine knows.
  init(_ chain: CertificateChain, from origin: Origin, key: SigningKey, roots: String = "") throws {
    self.chain = chain
    self.origin = origin
    anchor = (chain.root(among: roots) ?? chain.top).pem
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: try chain.certificates.map { .certificate(try NIOSSLCertificate(bytes: $0.der, format: .der)) },
      privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(key.pem.utf8), format: .pem)))
    configuration.minimumTLSVersion = .tlsv12
    // WebSocket needs HTTP/1.1 here (RFC 6455); a client that would speak HTTP/2 learns it in the handshake (RFC 7301).
    configuration.applicationProtocols = ["http/1.1"]
    // A peer that is gone sends no close_notify; together with the closing handshake of RFC 6455 this is less than the gateway has to end.
    configuration.shutdownTimeout = .milliseconds(500)
    context = try NIOSSLContext(configuration: configuration)
  }

  var leaf: X509Certificate { chain.leaf }
}

import NIOConcurrencyHelpers
import NIOCore
import NIOSSL
import PKI

/// By what the connector proves that it is the one that is meant.
enum Trust: Sendable, Hashable {
  /// By its key. Name and validity of the certificate do not count, so that a device without a clock, and a connector with its first, self-signed
  /// certificate, find together.
  case pin(SubjectPublicKeyPin)
  /// By a certificate for its name from an authority in this PEM file.
  case authorities(file: String)
  /// By a certificate for its name from an authority that the system trusts.
  case system

  /// Trust in the certificates of a PEM file. A lone one that is no authority's is the connector's own, as it is before it has obtained another: then it is
  /// the key that is trusted, for TLS libraries take no such certificate for a root.
  /// - Throws: when the file cannot be read.
  init(certificatesIn file: String) throws {
    guard let pem = try DurableFiles().read(file) else { throw FileError(file, because: "there is no such file.") }
    if let chain = try? CertificateChain(pem: pem), chain.issuers.isEmpty, !chain.leaf.isAuthority {
      self = .pin(chain.leaf.keyPin)
    } else {
      self = .authorities(file: file)
    }
  }

  /// What TLS needs to know, made once for all connections.
  /// - Throws: when the file with the authorities cannot be read.
  func context() throws -> NIOSSLContext {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    configuration.applicationProtocols = ["http/1.1"]
    switch self {
    // The pin decides, by the callback; the library's own check of the name would follow it.
    case .pin: configuration.certificateVerification = .noHostnameVerification
    case .authorities(let file):
      guard let roots = try? NIOSSLCertificate.fromPEMFile(file), !roots.isEmpty else {
        throw FileError(file, because: "there is no certificate in it.")
      }
      configuration.trustRoots = .certificates(roots)
    case .system: break
    }
    return try NIOSSLContext(configuration: configuration)
  }

  /// The handler of one connection. It puts down in `mismatch` which key it saw instead of the pinned one.
  func handler(_ context: NIOSSLContext, host: String, mismatch: NIOLockedValueBox<SubjectPublicKeyPin?>) throws -> NIOSSLClientHandler {
    // An address has no place in the server name indication (RFC 6066, section 3).
    let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
    let serverName = isAddress ? nil : host
    guard case .pin(let pin) = self else { return try NIOSSLClientHandler(context: context, serverHostname: serverName) }
    return try NIOSSLClientHandler(context: context, serverHostname: serverName) { certificates, verdict in
      let seen = (try? certificates.first?.extractPublicKey().toSPKIBytes()).map(SubjectPublicKeyPin.init(of:))
      if seen != pin { mismatch.withLockedValue { $0 = seen } }
      verdict.succeed(seen == pin ? .certificateVerified : .failed)
    }
  }
}

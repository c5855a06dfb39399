import FoundationEssentials
import PKI
import ServiceRuntime

/// The gateway's own key, and the certificate that it signed for itself with it.
///
/// The key is made once and kept: devices pin it. The certificate may be made anew for the same key.
struct GatewayCertificate: Sendable {
  let key: SigningKey
  let certificate: X509Certificate

  /// What devices pin.
  var pin: SubjectPublicKeyPin { key.keyPin }

  private static let sizeLimit = 65_536
  /// Ten years: nobody renews a certificate that is trusted by its pin.
  private static let lifetime = Duration.seconds(3650 * 86_400)
  /// A certificate that ends sooner than this is made anew at the start.
  private static let lead = Duration.seconds(90 * 86_400)

  init(key: SigningKey, certificate: X509Certificate) {
    self.key = key
    self.certificate = certificate
  }

  /// The key and the certificate in the folder; what is missing, or ends soon, is made.
  init(in folder: URL, at now: Instant) throws {
    let key = try Self.key(AtomicFile(folder.appending(component: "tls-key.pem")))
    let file = AtomicFile(folder.appending(component: "tls-certificate.pem"))
    if let kept = try Self.certificate(file), kept.keyPin == key.keyPin, kept.notAfter > now + Self.lead {
      self.init(key: key, certificate: kept)
    } else {
      let host = Self.hostName
      // A device's clock may be behind: one day of grace.
      let certificate = try key.selfSignedCertificate(
        commonName: host?.value ?? "acme-connector", names: [host, DNSName("localhost")].compactMap { $0 },
        notBefore: now - .seconds(86_400), notAfter: now + Self.lifetime)
      try file.write(Array(certificate.pem.utf8), mode: 0o644)
      self.init(key: key, certificate: certificate)
    }
  }

  private static func key(_ file: AtomicFile) throws -> SigningKey {
    if let kept = try file.read(limit: sizeLimit) { return try SigningKey(pem: String(decoding: kept, as: UTF8.self)) }
    let key = try SigningKey(.p256)
    try file.write(Array(key.pem.utf8))
    return key
  }

  private static func certificate(_ file: AtomicFile) throws -> X509Certificate? {
    guard let kept = try file.read(limit: sizeLimit) else { return nil }
    return try X509Certificate.list(pem: String(decoding: kept, as: UTF8.self), atMost: 1).first
  }

  private static var hostName: DNSName? {
    guard let host = DNSName(ProcessInfo.processInfo.hostName) else { return nil }
    // X.520 allows 64 characters in a common name.
    return host.value.utf8.count <= 64 ? host : nil
  }
}

import FoundationEssentials
import Logging
import PKI
import ServiceRuntime
import Telemetry

/// The gateway's key, its CSR and its certificates on disk.
///
/// The key is made once and kept: devices pin it. All else may be made anew for it, so nothing that is wrong with the other files keeps the gateway
/// from serving.
struct TLSFolder: Sendable {
  let key: SigningKey
  /// Served while there is no better one.
  let selfSigned: GatewayCertificate
  private let requestFile: AtomicFile
  private let chainFile: AtomicFile
  private let rootsFile: AtomicFile

  /// The authorities that the system trusts, as Debian has them.
  static let systemRoots = URL(filePath: "/etc/ssl/certs/ca-certificates.crt")
  private static let sizeLimit = 1 << 20
  /// Ten years: nobody renews a certificate that is trusted by its pin.
  private static let lifetime = Duration.seconds(3650 * 86_400)
  /// A certificate of its own that ends sooner than this is made anew at the start.
  private static let lead = Duration.seconds(90 * 86_400)

  /// The key and the self-signed certificate in the folder; what is missing, or ends soon, is made.
  init(_ folder: URL, at now: Instant, roots: URL = systemRoots, logger: Logger) throws {
    key = try Self.key(AtomicFile(folder.appending(component: "tls-key.pem")), logger: logger)
    selfSigned = try Self.selfSigned(AtomicFile(folder.appending(component: "tls-certificate.pem")), for: key, at: now)
    requestFile = AtomicFile(folder.appending(component: "tls-request.pem"))
    chainFile = AtomicFile(folder.appending(component: "tls-chain.pem"))
    rootsFile = AtomicFile(roots)
  }

  /// The certificate of the CA that is kept, be it over or not; nil if there is none. One that makes no sense, or is not for the key, is set aside.
  func obtained(logger: Logger) -> GatewayCertificate? {
    do {
      guard let kept = try chainFile.read(limit: Self.sizeLimit) else { return nil }
      return try checked(try CertificateChain(pem: String(decoding: kept, as: UTF8.self)))
    } catch {
      let aside = (try? chainFile.setAside())?.path(percentEncoded: false)
      logger.log(
        .fileDamaged, "the stored certificate of the CA cannot be used; the gateway serves the one that it has signed itself", error: error,
        metadata: [.file: aside])
      return nil
    }
  }

  /// A chain as it is to be served: for this key, and in order in itself.
  func checked(_ chain: CertificateChain) throws -> GatewayCertificate {
    guard chain.leaf.keyPin == key.keyPin else { throw ForeignCertificate(pin: chain.leaf.keyPin) }
    try chain.verifyItself()
    // Not to know any root is no reason not to serve.
    let roots = (try? rootsFile.read(limit: 8 << 20)).flatMap { $0 }.map { String(decoding: $0, as: UTF8.self) }
    return try GatewayCertificate(chain, from: .authority, key: key, roots: roots ?? "")
  }

  /// Keeps the chain: when this returns, the next process will serve it.
  func store(_ chain: CertificateChain) throws {
    try chainFile.write(Array(chain.pem.utf8), mode: 0o644)
  }

  /// The CSR for exactly these names: the one that is kept, for a CSR made anew is another request, or a new one, which is kept then.
  func request(for names: [DNSName]) throws -> SigningRequest {
    let kept = try requestFile.read(limit: Self.sizeLimit).flatMap { try? SigningRequest(String(decoding: $0, as: UTF8.self)) }
    if let kept, kept.keyPin == key.keyPin, kept.nameSet == Set(names) { return kept }
    let request = try key.signingRequest(for: names)
    try requestFile.write(Array(request.pem.utf8), mode: 0o644)
    return request
  }

  /// The file of the key holds none. It is not replaced: devices know the gateway by its key.
  struct DamagedKey: Error, CustomStringConvertible {
    let path: String

    var description: String {
      "\(path) holds no private key any more; put it back from a backup, or remove it for a new key, which devices that pin the old one refuse"
    }
  }

  /// A certificate for another key than the gateway's.
  struct ForeignCertificate: Error, CustomStringConvertible {
    let pin: SubjectPublicKeyPin

    var description: String { "the certificate is for another key (\(pin)) than the gateway's" }
  }
}

extension TLSFolder {
  private static func key(_ file: AtomicFile, logger: Logger) throws -> SigningKey {
    if let kept = try file.read(limit: sizeLimit) {
      do { return try SigningKey(pem: String(decoding: kept, as: UTF8.self)) } catch { throw DamagedKey(path: file.url.path(percentEncoded: false)) }
    }
    let key = try SigningKey(.p256)
    try file.write(Array(key.pem.utf8))
    logger.log(.keyMade, "key made for the gateway's TLS", metadata: [.pin: key.keyPin])
    return key
  }

  private static func selfSigned(_ file: AtomicFile, for key: SigningKey, at now: Instant) throws -> GatewayCertificate {
    if let kept = try file.read(limit: sizeLimit), let chain = try? CertificateChain(pem: String(decoding: kept, as: UTF8.self)),
      chain.leaf.keyPin == key.keyPin, chain.leaf.notAfter > now + lead
    {
      return try GatewayCertificate(chain, from: .gateway, key: key)
    }
    let host = hostName
    // A device's clock may be behind: one day of grace.
    let certificate = try key.selfSignedCertificate(
      commonName: host?.value ?? "acme-connector", names: [host, DNSName("localhost")].compactMap { $0 },
      notBefore: now - .seconds(86_400), notAfter: now + lifetime)
    try file.write(Array(certificate.pem.utf8), mode: 0o644)
    return try GatewayCertificate(try CertificateChain(pem: certificate.pem), from: .gateway, key: key)
  }

  private static var hostName: DNSName? {
    guard let host = DNSName(ProcessInfo.processInfo.hostName) else { return nil }
    // X.520 allows 64 characters in a common name.
    return host.value.utf8.count <= 64 ? host : nil
  }
}

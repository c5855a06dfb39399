/// A certificate and those that certify it, leaf first, as an authority hands them out (RFC 8555, section 9.1).
public struct CertificateChain: Sendable, Hashable {
  /// The most certificates that are read.
  public static let maximumCount = 10

  /// The certificate of the device.
  public let leaf: X509Certificate
  /// Those above it, the leaf's issuer first.
  public let issuers: [X509Certificate]

  /// Reads a chain from PEM text.
  public init(pem: String) throws(PKIError) {
    let certificates = try X509Certificate.list(pem: pem, atMost: Self.maximumCount)
    guard let leaf = certificates.first else { throw PKIError(.malformed, "There is no certificate in the PEM text.") }
    self.init(leaf: leaf, issuers: Array(certificates.dropFirst()))
  }

  private init(leaf: X509Certificate, issuers: [X509Certificate]) {
    self.leaf = leaf
    self.issuers = issuers
  }

  /// All certificates, leaf first.
  public var certificates: [X509Certificate] { [leaf] + issuers }

  /// The chain as PEM text.
  public var pem: String { certificates.map(\.pem).joined() }

  /// The chain without the self-signed certificate at its end, which whoever verifies it has already; a lone certificate stays.
  public var withoutRoot: CertificateChain {
    guard let last = issuers.last, last.isSigned(by: last) else { return self }
    return CertificateChain(leaf: leaf, issuers: issuers.dropLast())
  }

  /// The highest certificate in it.
  public var top: X509Certificate { issuers.last ?? leaf }

  /// The root that has signed the highest certificate, if it is among those of a PEM text, such as the system's list of authorities. What cannot be
  /// read in there is passed over.
  public func root(among pem: String) -> X509Certificate? {
    guard let blocks = try? PEMBlock.blocks(in: pem, atMost: 2_000, size: 8 << 20) else { return nil }
    return blocks.lazy.compactMap { try? X509Certificate(der: $0.der) }.first { top.isSigned(by: $0) && $0.isSigned(by: $0) }
  }

  /// Whether the chain leads to the root of this common name, be the root itself in it or not.
  public func endsIn(rootCommonName name: String) -> Bool {
    top.issuerCommonName == name
  }

  /// Checks that the certificate is what was asked for: for the key of the request, and for all of its names.
  public func verify(against request: SigningRequest) throws(PKIError) {
    guard leaf.publicKey == request.publicKey else {
      throw PKIError(.keyMismatch, "The certificate is for another key than the CSR.")
    }
    if let name = request.nameSet.subtracting(leaf.names).min() {
      throw PKIError(.nameMissing, "The certificate lacks the name \(name), which the CSR asks for.")
    }
  }

  /// Checks that the certificate can be used at a moment. A day of grace before its beginning, for clocks that differ.
  public func verifyTime(at now: Instant) throws(PKIError) {
    guard now < leaf.notAfter else { throw PKIError(.outOfTime, "The certificate has ended at \(leaf.notAfter).") }
    guard leaf.notBefore <= now + .seconds(86_400) else { throw PKIError(.outOfTime, "The certificate begins no sooner than \(leaf.notBefore).") }
  }

  /// Checks the chain against itself: each certificate is signed by the next one, which may do so, and each has a time. Whether its root is to be trusted
  /// is for whoever uses the certificate to decide, for that differs by device.
  public func verifyItself() throws(PKIError) {
    for certificate in certificates where certificate.notBefore >= certificate.notAfter {
      throw PKIError(.brokenChain, "The certificate \(certificate.serial) ends before it begins.")
    }
    for (certificate, issuer) in zip(certificates, issuers) {
      guard issuer.isAuthority, certificate.isSigned(by: issuer) else {
        throw PKIError(.brokenChain, "The certificate \(certificate.serial) is not issued by the one that follows it.")
      }
    }
  }
}

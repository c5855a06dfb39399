public import PKI

/// A device asks for a certificate.
public struct RequestCertificate: Message, Codable {
  /// The CSR: PEM, or base64 of its DER.
  public var csr: String
  /// Which of the device's certificates it is for; `default` if it is not said.
  public var slot: ShortText?
  /// If given, exactly the names of the CSR.
  public var dnsNames: [String]?
  /// The certificate that it replaces.
  public var replaces: Fingerprint?
  /// Whether it is ordered even if it is not due.
  @Flag public var force: Bool

  /// A request.
  public init(csr: String, slot: ShortText? = nil, dnsNames: [String]? = nil, replaces: Fingerprint? = nil, force: Bool = false) {
    self.csr = csr
    self.slot = slot
    self.dnsNames = dnsNames
    self.replaces = replaces
    self.force = force
  }
}

/// The request is kept, and known by its id from now on.
public struct RequestCertificateResult: Message, Codable {
  /// Its id.
  public var id: ShortText
  /// Where it stands.
  public var state: CertificateStage
  /// When it is ordered, while it is not due.
  public var dueAt: Instant?

  /// The answer to a request.
  public init(id: ShortText, state: CertificateStage, dueAt: Instant? = nil) {
    self.id = id
    self.state = state
    self.dueAt = dueAt
  }
}

/// A request has come further.
public struct CertificateState: Message, Codable {
  /// The id of the request.
  public var id: ShortText
  /// Where it stands.
  public var state: CertificateStage
  /// The name that this is about.
  public var dns: DNSName?

  /// Where a request stands.
  public init(id: ShortText, state: CertificateStage, dns: DNSName? = nil) {
    self.id = id
    self.state = state
    self.dns = dns
  }
}

/// The certificate for a request. It is sent again until the device has said that it is installed.
public struct CertificateReady: Message, Codable {
  /// The id of the request.
  public var id: ShortText
  /// Which of the device's certificates it is.
  public var slot: ShortText
  /// PEM: the leaf and the intermediates, no root.
  public var certificate: String
  /// From when it is valid.
  public var notBefore: Instant
  /// Until when it is valid.
  public var notAfter: Instant
  /// The SHA-256 of the leaf.
  public var fingerprint: Fingerprint
  /// When the device shall take it into use.
  public var installAt: Instant

  /// A certificate for its device.
  public init(
    id: ShortText, slot: ShortText, certificate: String, notBefore: Instant, notAfter: Instant, fingerprint: Fingerprint, installAt: Instant
  ) {
    self.id = id
    self.slot = slot
    self.certificate = certificate
    self.notBefore = notBefore
    self.notAfter = notAfter
    self.fingerprint = fingerprint
    self.installAt = installAt
  }
}

/// A report that there is no certificate yet, and why.
public struct CertificateFailed: Message, Codable {
  /// The id of the request.
  public var id: ShortText
  /// Which of the device's certificates it is for.
  public var slot: ShortText
  /// Why, as a word.
  public var error: ErrorToken
  /// Why, as a sentence for a person.
  public var errorText: String
  /// The name that this is about.
  public var dns: DNSName?
  /// The type of the authority's problem document (RFC 8555, section 6.7).
  public var acmeType: String?
  /// After how many seconds the connector tries the same CSR again.
  public var retryAfterSec: Int?
  /// Whether it will not, and wants a new CSR.
  @Flag public var final: Bool

  /// A report for a device.
  public init(
    id: ShortText, slot: ShortText, error: ErrorToken, errorText: String, dns: DNSName? = nil, acmeType: String? = nil, retryAfterSec: Int? = nil,
    final: Bool = false
  ) {
    self.id = id
    self.slot = slot
    self.error = error
    self.errorText = errorText
    self.dns = dns
    self.acmeType = acmeType
    self.retryAfterSec = retryAfterSec
    self.final = final
  }
}

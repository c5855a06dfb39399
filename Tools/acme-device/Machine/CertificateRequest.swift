import AppWebsocket
import PKI

/// A request for one certificate, from the CSR to the receipt: what must outlive the process.
struct CertificateRequest: Codable, Sendable, Hashable {
  /// How far it has come.
  enum Stage: Codable, Sendable, Hashable {
    /// There is no certificate yet.
    case open
    /// The certificate is here, and taken into use at that moment.
    case delivered(CertificateChain, installAt: Instant)
    /// The certificate is in use; the connector has not confirmed that it knows.
    case installed(Fingerprint)
  }

  /// The CSR.
  let csr: SigningRequest
  /// Which of the device's certificates it is for.
  let slot: ShortText
  /// The certificate that it replaces.
  let replaces: Fingerprint?
  /// Whether the connector wanted it although no certificate was due.
  let isForced: Bool
  /// What the connector knows it by, as soon as it knows it.
  var id: ShortText?
  /// How far it has come.
  var stage: Stage

  /// A request that nobody knows of yet.
  init(csr: SigningRequest, slot: ShortText, replaces: Fingerprint? = nil, isForced: Bool = false) {
    self.csr = csr
    self.slot = slot
    self.replaces = replaces
    self.isForced = isForced
    self.id = nil
    self.stage = .open
  }

  /// The message that asks for the certificate.
  var message: RequestCertificate {
    RequestCertificate(csr: csr.pem, slot: slot, dnsNames: csr.names.map(\.value), replaces: replaces, force: isForced)
  }
}

/// The certificate in use.
struct InstalledCertificate: Sendable, Hashable {
  /// The certificate and its issuers.
  var chain: CertificateChain
  /// The request that brought it, unless it was here before this program.
  var request: CertificateRequest?

  /// Whether it serves for these names now.
  func serves(_ names: [DNSName], at now: Instant) -> Bool {
    chain.leaf.notBefore <= now && now < chain.leaf.notAfter && Set(names) == Set(chain.leaf.names)
  }
}

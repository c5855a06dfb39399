public import PKI

/// The connector wants a new CSR.
public struct RenewCertificate: Message, Codable {
  /// Why.
  public enum Reason: String, Codable, Sendable, Hashable, CaseIterable {
    /// The certificate is due.
    case due
    /// An administrator wants it.
    case forced
    /// The certificate is revoked.
    case revoked
    /// The key has become known.
    case keyCompromise
    /// Another authority issues from now on.
    case authorityChanged
  }

  /// Which of the device's certificates.
  public var slot: ShortText
  /// The certificate to be replaced.
  public var fingerprint: Fingerprint?
  /// The names to ask for.
  public var dnsNames: [DNSName]
  /// Why.
  public var reason: Reason
  /// Whether the key must be a new one.
  @Flag public var newKey: Bool
  /// Until when it is wanted.
  public var deadline: Instant?

  /// A wish for a new CSR.
  public init(
    slot: ShortText, fingerprint: Fingerprint? = nil, dnsNames: [DNSName], reason: Reason, newKey: Bool = false, deadline: Instant? = nil
  ) {
    self.slot = slot
    self.fingerprint = fingerprint
    self.dnsNames = dnsNames
    self.reason = reason
    self.newKey = newKey
    self.deadline = deadline
  }
}

/// Whether the device will hand in a new CSR.
public struct RenewCertificateResult: Message, Codable {
  /// Which of its certificates.
  public var slot: ShortText
  /// Whether it will.
  @Flag public var accepted: Bool
  /// Why not, as a word.
  public var error: ErrorToken?

  /// The device's answer.
  public init(slot: ShortText, accepted: Bool, error: ErrorToken? = nil) {
    self.slot = slot
    self.accepted = accepted
    self.error = error
  }
}

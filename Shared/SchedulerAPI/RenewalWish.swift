public import PKI

/// The connector wants a new CSR of a device, in the words of the device protocol.
public struct RenewalWish: Codable, Sendable, Hashable {
  /// Why.
  public enum Reason: String, Codable, Sendable, Hashable, CaseIterable {
    /// The certificate is due.
    case due
    /// An administrator wants it.
    case forced
    /// The certificate is revoked, or about to be.
    case revoked
    /// The key has become known.
    case keyCompromise
    /// Another authority issues from now on.
    case authorityChanged
  }

  /// Which of the device's certificates.
  public var slot: String
  /// The certificate to be replaced.
  public var fingerprint: Fingerprint?
  /// The names to ask for.
  public var names: [DNSName]
  /// Why.
  public var reason: Reason
  /// The key has to be another one.
  public var newKey: Bool
  /// When it is too late: the certificate ends, or whoever wants it renewed has said so.
  public var deadline: Instant?

  /// A wish for a new CSR.
  public init(
    slot: String, fingerprint: Fingerprint? = nil, names: [DNSName], reason: Reason, newKey: Bool = false, deadline: Instant? = nil
  ) {
    self.slot = slot
    self.fingerprint = fingerprint
    self.names = names
    self.reason = reason
    self.newKey = newKey
    self.deadline = deadline
  }
}

/// What is known of a device that was asked for a CSR.
public enum RenewalAnswer: String, Codable, Sendable, Hashable, CaseIterable {
  /// The wish was sent to it.
  case told
  /// It will hand in a CSR.
  case accepted
  /// It will not.
  case declined
}

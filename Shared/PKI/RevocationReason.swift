/// Why a certificate is revoked: a CRLReason, by its name (RFC 5280, section 5.3.1).
public enum RevocationReason: String, Codable, Sendable, Hashable, CaseIterable {
  case unspecified, keyCompromise, cACompromise, affiliationChanged, superseded, cessationOfOperation, certificateHold
  case removeFromCRL, privilegeWithdrawn, aACompromise

  /// Its number; nil for `unspecified`, which is told by saying nothing.
  public var code: Int? {
    switch self {
    case .unspecified: nil
    case .keyCompromise: 1
    case .cACompromise: 2
    case .affiliationChanged: 3
    case .superseded: 4
    case .cessationOfOperation: 5
    case .certificateHold: 6
    case .removeFromCRL: 8
    case .privilegeWithdrawn: 9
    case .aACompromise: 10
    }
  }
}

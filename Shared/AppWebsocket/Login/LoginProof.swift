/// The digest that somebody sent, and what it should be the digest of but for the secret. A secret costs the hashing of its own characters.
public struct LoginProof: Sendable {
  /// Nil when what was sent is no digest.
  private let claimed: LoginDigest?
  private let beginnings: [LoginDigest.Beginning]

  init(_ claimed: LoginDigest?, _ beginnings: [LoginDigest.Beginning]) {
    self.claimed = claimed
    self.beginnings = beginnings
  }

  /// Whether it was made with this secret. Every form is tried, whichever fits.
  public func isMade(with password: String) -> Bool {
    guard let claimed else { return false }
    return beginnings.reduce(false) { ($1.digest(of: password) == claimed) || $0 }
  }
}

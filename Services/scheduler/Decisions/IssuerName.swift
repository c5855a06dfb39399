/// What the name of an issuer tells.
enum IssuerName {
  /// Whether certificates of this issuer are for trials only, and trusted by nobody: all issuers of Let's Encrypt's staging environment say so in
  /// their common names (https://letsencrypt.org/docs/staging-environment/).
  static func isForTrial(_ commonName: String?) -> Bool {
    ["(STAGING)", "Fake LE"].contains { commonName?.hasPrefix($0) ?? false }
  }
}

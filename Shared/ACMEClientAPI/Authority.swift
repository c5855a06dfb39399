public import PKI

/// A certificate authority as the caller wants to use it.
public struct Authority: Codable, Sendable, Hashable {
  /// The URL of the directory (RFC 8555, section 7.1.1), or of its parent.
  public var directory: String
  /// `mailto:` URLs for the account (RFC 8555, section 7.3); a bare address is taken as one.
  public var contact: [String]
  /// A person has agreed to the CA's terms of service.
  public var termsAgreed: Bool
  /// The URI of the account key; absent for a key file in acme-client's state directory.
  public var accountKey: String?
  /// The path of a PEM file that replaces the system's roots for the TLS of the CA itself.
  public var trustRoots: String?
  /// The certificate profile to ask for.
  public var profile: String?
  /// The common name of the root that the chain should end in.
  public var preferredChain: String?

  /// An authority by its directory; the rest as the defaults say.
  public init(
    directory: String, contact: [String] = [], termsAgreed: Bool = false, accountKey: String? = nil, trustRoots: String? = nil,
    profile: String? = nil, preferredChain: String? = nil
  ) {
    self.directory = directory
    self.contact = contact
    self.termsAgreed = termsAgreed
    self.accountKey = accountKey
    self.trustRoots = trustRoots
    self.profile = profile
    self.preferredChain = preferredChain
  }
}

/// What a CA says of itself (RFC 8555, section 7.1.1).
public struct AuthorityDescription: Codable, Sendable, Hashable {
  /// The directory's URL, as it was found.
  public var directory: String
  /// Where its terms of service are.
  public var termsOfService: String?
  /// Its web site.
  public var website: String?
  /// What it recognises in CAA records as itself.
  public var caaIdentities: [String]
  /// Whether an account needs external account binding (RFC 8555, section 7.3.4).
  public var externalAccountRequired: Bool
  /// Its certificate profiles with their descriptions.
  public var profiles: [String: String]
  /// Whether it has renewal information (RFC 9773).
  public var renewalInfo: Bool
  /// Its clock, where it shows one.
  public var date: Instant?

  /// A CA's own description.
  public init(
    directory: String, termsOfService: String?, website: String?, caaIdentities: [String], externalAccountRequired: Bool,
    profiles: [String: String], renewalInfo: Bool, date: Instant?
  ) {
    self.directory = directory
    self.termsOfService = termsOfService
    self.website = website
    self.caaIdentities = caaIdentities
    self.externalAccountRequired = externalAccountRequired
    self.profiles = profiles
    self.renewalInfo = renewalInfo
    self.date = date
  }
}

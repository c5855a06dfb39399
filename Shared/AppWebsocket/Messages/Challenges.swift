public import PKI

// How devices answer a CA's challenges (RFC 8555, section 8.3) for the connector: what they are told beforehand, or look up for each request.

/// The device is to serve the answer to a challenge.
public struct ChallengeAdded: Message, Codable {
  /// The name that is to be proved.
  public var dns: DNSName
  /// The challenge's token.
  public var token: ChallengeToken
  /// What to serve, bare.
  public var keyAuth: KeyAuthorization
  /// Where, on port 80.
  public var path: String

  /// The wish for an answer at its token's path.
  public init(dns: DNSName, token: ChallengeToken, keyAuth: KeyAuthorization) {
    self.dns = dns
    self.token = token
    self.keyAuth = keyAuth
    self.path = token.path
  }
}

/// Whether the device serves the answer now.
public struct ChallengeAddedResult: Message, Codable {
  /// The challenge's token.
  public var token: ChallengeToken
  /// Why not, as a word.
  public var error: ErrorToken?
  /// Why not, as a sentence for a person.
  public var errorText: String?

  /// The answer of a device; without an error, what was wanted is in place.
  public init(token: ChallengeToken, error: ErrorToken? = nil, errorText: String? = nil) {
    self.token = token
    self.error = error
    self.errorText = errorText
  }
}

/// The answer is not wanted any more.
public struct ChallengeRemoved: Message, Codable {
  /// The name that was to be proved.
  public var dns: DNSName
  /// The challenge's token.
  public var token: ChallengeToken

  /// The end of an answer.
  public init(dns: DNSName, token: ChallengeToken) {
    self.dns = dns
    self.token = token
  }
}

/// The device was asked for a token, and asks what to answer.
public struct GetChallenge: Message, Codable {
  /// The Host of the request.
  public var host: String?
  /// The last part of its path; what can be no token is simply not found.
  public var token: String

  /// A question about a token.
  public init(host: String?, token: String) {
    self.host = host
    self.token = token
  }
}

/// What to answer to a token, if anything.
public struct GetChallengeResult: Message, Codable {
  /// Whether the token is live. If not, the device follows its own rules.
  @Flag public var found: Bool
  /// What to serve, bare.
  public var keyAuth: KeyAuthorization?

  /// The answer to a live token, or none.
  public init(_ keyAuth: KeyAuthorization?) {
    self.found = keyAuth != nil
    self.keyAuth = keyAuth
  }
}

extension ChallengeToken {
  /// Where a CA asks for a token (RFC 8555, section 8.3).
  public static let folder = "/.well-known/acme-challenge/"

  /// Where a CA asks for this one.
  public var path: String { Self.folder + value }
}

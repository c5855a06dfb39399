/// The token of a challenge (RFC 8555, section 8.1): base64url characters, with at least 128 bits of the CA's randomness.
/// It comes from outside and stands in a request path, so nothing but those characters is ever a token.
public struct ChallengeToken: TextValue {
  /// The longest token taken; CAs use 32 to 43 characters.
  public static let maximumLength = 128

  /// The token's characters.
  public let value: String

  /// A token, if the text can be one.
  public init?(_ text: String) {
    guard (1...Self.maximumLength).contains(text.utf8.count), text.utf8.allSatisfy(Base64URL.isDigit) else { return nil }
    value = text
  }

  private init(value: String) { self.value = value }

  /// A token of 256 random bits, as a CA makes one.
  public static func random() -> ChallengeToken {
    ChallengeToken(value: Base64URL.encode((0..<32).map { _ in UInt8.random(in: 0 ... .max) }))
  }

  /// The token.
  public var description: String { value }
}

/// What is served for a token: the token, a dot, and the thumbprint of the account key (RFC 8555, section 8.1). It is no secret
/// from the CA, but it is from the log.
public struct KeyAuthorization: Sendable, Hashable {
  /// The longest token, the dot and a SHA-256 thumbprint. Far more than is needed: Let's Encrypt takes answers of less than 128
  /// bytes, and its own have 87.
  public static let maximumLength = ChallengeToken.maximumLength + 1 + 43

  /// The text that is served, without a newline.
  public let value: String

  /// The key authorization of `token` for an account whose key has this RFC 7638 thumbprint (base64url).
  public init(token: ChallengeToken, thumbprint: String) {
    value = "\(token.value).\(thumbprint)"
  }

  /// A key authorization, if the text can be one: two base64url parts with a dot between them.
  public init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, text.utf8.count <= Self.maximumLength, parts.allSatisfy({ ChallengeToken(String($0)) != nil }) else {
      return nil
    }
    value = text
  }

  /// The token that it answers.
  public var token: ChallengeToken? { ChallengeToken(String(value.prefix { $0 != "." })) }
}

extension KeyAuthorization: Codable, CustomStringConvertible {
  /// Reads and checks the key authorization.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let value = KeyAuthorization(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a key authorization (RFC 8555, section 8.1)")
    }
    self = value
  }

  /// Writes the key authorization as a string.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(value)
  }

  /// Not the value: a key authorization in a log would be a leak.
  public var description: String { "key authorization of \(value.prefix { $0 != "." })" }
}

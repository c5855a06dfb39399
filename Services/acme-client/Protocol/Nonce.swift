import PKI

/// A nonce of the CA's (RFC 8555, section 6.5): base64url, good for one request.
struct Nonce: Sendable, Hashable, CustomStringConvertible {
  let description: String

  init?(_ text: String) {
    guard (1...512).contains(text.utf8.count), text.utf8.allSatisfy(Base64URL.isDigit) else { return nil }
    description = text
  }
}

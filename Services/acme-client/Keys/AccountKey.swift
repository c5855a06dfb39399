/// An account's key: it signs, and never leaves where it is.
protocol AccountKey: Sendable {
  /// Its public half.
  var publicKey: JSONWebKey { get }
  /// The ES256 signature (RFC 7518, section 3.4): r and s, 32 octets each.
  func sign(_ message: [UInt8]) throws -> [UInt8]
}

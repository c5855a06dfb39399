import Crypto
import PKI

/// The key that both ends know after a login, by which innovaphone's services hide single properties (`innovaphoneAppSessionKey`). What is hidden by it is not
/// protected, for the cipher is RC4: TLS protects, and the connector sends no secrets. It appears in no description.
public struct SessionKey: Sendable, CustomStringConvertible {
  /// 64 lowercase hexadecimal digits.
  public let hex: String

  /// The key of a session: of its challenge and the login's secret.
  public init(challenge: Challenge, password: String) {
    hex = Hexadecimal.encode(SHA256.hash(data: Array("innovaphoneAppSessionKey:\(challenge):\(password)".utf8)))
  }

  /// That it is a key.
  public var description: String { "a session key" }
}

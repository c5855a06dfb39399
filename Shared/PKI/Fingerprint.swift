import Crypto

/// The SHA-256 of something in DER (a certificate, a CSR), as 64 lowercase hexadecimal digits.
public struct Fingerprint: TextValue {
  /// The digits.
  public let hex: String

  /// The fingerprint of these bytes.
  public init(of der: some Sequence<UInt8>) {
    self.hex = Hexadecimal.sha256(of: der)
  }

  /// The fingerprint that these 64 digits of either case spell, or nil.
  public init?(hex: String) {
    guard let hex = Hexadecimal.sha256(spelled: hex) else { return nil }
    self.hex = hex
  }

  /// The fingerprint that these 64 digits of either case spell, or nil.
  public init?(_ text: String) { self.init(hex: text) }

  /// The digits.
  public var description: String { hex }
}

/// The SHA-256 of a SubjectPublicKeyInfo in DER, as 64 lowercase hexadecimal digits: what a device pins of the gateway. It outlives the certificate as
/// long as the key stays.
public struct SubjectPublicKeyPin: TextValue {
  /// The digits.
  public let hex: String

  /// The pin of a public key: of the SubjectPublicKeyInfo in DER.
  public init(of subjectPublicKeyInfo: some Sequence<UInt8>) {
    self.hex = Hexadecimal.sha256(of: subjectPublicKeyInfo)
  }

  /// The pin that these 64 digits of either case spell, or nil.
  public init?(hex: String) {
    guard let hex = Hexadecimal.sha256(spelled: hex) else { return nil }
    self.hex = hex
  }

  /// The pin that these 64 digits of either case spell, or nil.
  public init?(_ text: String) { self.init(hex: text) }

  /// The digits.
  public var description: String { hex }
}

extension Hexadecimal {
  fileprivate static func sha256(of bytes: some Sequence<UInt8>) -> String {
    encode(SHA256.hash(data: Array(bytes)))
  }

  fileprivate static func sha256(spelled text: String) -> String? {
    guard let bytes = decode(text), bytes.count == SHA256.byteCount else { return nil }
    return encode(bytes)
  }
}

public import PKI

/// What a server makes up for one login on one connection, so that no digest is good twice: at most 16 printable ASCII characters.
public struct Challenge: TextValue {
  /// The characters.
  public let description: String

  /// A challenge as the server of this house sends it: 64 random bits as 16 hexadecimal digits.
  public init(random bits: UInt64) {
    let digits = String(bits, radix: 16)
    self.description = String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// The challenge of another server, or nil if the text can be none.
  public init?(_ text: String) {
    guard (1...16).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21..<0x7F).contains($0) }) else { return nil }
    self.description = text
  }
}

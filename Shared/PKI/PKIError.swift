/// Why a certificate, a chain or a key cannot be used. Equality is that of the code; the text is for people.
public struct PKIError: Error, Hashable, CustomStringConvertible {
  /// What kind of thing is wrong. Open: later versions may add codes.
  public struct Code: RawRepresentable, Sendable, Hashable {
    /// The code as one word.
    public let rawValue: String
    /// A code by its word.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The text is not what it should be: no PEM, no DER, another kind of PEM block.
    public static let malformed = Code(rawValue: "malformed")
    /// More bytes or more blocks than are read.
    public static let tooLarge = Code(rawValue: "tooLarge")
    /// A key of a kind that no public authority accepts.
    public static let weakKey = Code(rawValue: "weakKey")
    /// The certificates do not certify each other in their order.
    public static let brokenChain = Code(rawValue: "brokenChain")
    /// The certificate is for another key than the CSR.
    public static let keyMismatch = Code(rawValue: "keyMismatch")
    /// The certificate has ended, or has not begun.
    public static let outOfTime = Code(rawValue: "outOfTime")
    /// The certificate lacks a name of the CSR, or there is no name at all.
    public static let nameMissing = Code(rawValue: "nameMissing")
  }

  /// What kind of thing is wrong.
  public let code: Code
  /// What is wrong, as a sentence.
  public let text: String

  /// An error with its sentence.
  public init(_ code: Code, _ text: String) {
    self.code = code
    self.text = text
  }

  /// The sentence.
  public var description: String { text }

  /// Whether both have the same code.
  public static func == (left: PKIError, right: PKIError) -> Bool { left.code == right.code }

  /// Hashes the code.
  public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}

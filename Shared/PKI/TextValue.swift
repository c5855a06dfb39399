/// A value that is one text on the wire and on disk, and that is checked whenever it is made from one.
///
/// Whoever holds such a value needs no check any more: decoding a text that is not one fails.
public protocol TextValue: LosslessStringConvertible, Codable, Hashable, Sendable {}

extension TextValue {
  /// Reads the value from a single text.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let value = Self(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "This text is no \(Self.self).")
    }
    self = value
  }

  /// Writes the value as a single text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

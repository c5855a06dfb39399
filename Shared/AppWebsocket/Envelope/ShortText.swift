public import PKI

/// A text that the other end has chosen and that names something: an id, a slot, a hardware id. One to 64 characters, each of them to be seen: no
/// control characters, and none that turns or separates lines, so that two that look alike are the same.
public struct ShortText: TextValue {
  /// The most characters (Unicode scalars).
  public static let maximumLength = 64

  /// The slot of a device that has one certificate.
  public static let defaultSlot = ShortText(clipping: "default")

  /// The text.
  public let value: String

  /// The text, or nil if it is empty, too long, or has characters that are not to be seen.
  public init?(_ text: String) {
    guard !text.isEmpty, text.unicodeScalars.count <= Self.maximumLength,
      text.unicodeScalars.allSatisfy(Self.isVisible)
    else { return nil }
    self.value = text
  }

  /// A text of this end's own, cut to what is allowed.
  public init(clipping text: String) {
    let scalars = text.unicodeScalars.filter(Self.isVisible).prefix(Self.maximumLength)
    self.value = scalars.isEmpty ? "-" : String(String.UnicodeScalarView(scalars))
  }

  /// Whether a character is one of those that are to be seen.
  public static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
    ![.control, .format, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
  }

  /// The text.
  public var description: String { value }
}

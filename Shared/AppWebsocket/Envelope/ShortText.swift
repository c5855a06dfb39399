public import PKI

/// A text that the other end has chosen and that names something: an id, a slot, a hardware id. One to 64 characters, none of them a control character.
public struct ShortText: TextValue {
  /// The most characters (Unicode scalars).
  public static let maximumLength = 64

  /// The slot of a device that has one certificate.
  public static let defaultSlot = ShortText(clipping: "default")

  /// The text.
  public let value: String

  /// The text, or nil if it is empty, too long, or has control characters.
  public init?(_ text: String) {
    guard !text.isEmpty, text.unicodeScalars.count <= Self.maximumLength,
      !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
    else { return nil }
    self.value = text
  }

  /// A text of this end's own, cut to what is allowed.
  public init(clipping text: String) {
    let scalars = text.unicodeScalars.filter { $0.properties.generalCategory != .control }.prefix(Self.maximumLength)
    self.value = scalars.isEmpty ? "-" : String(String.UnicodeScalarView(scalars))
  }

  /// The text.
  public var description: String { value }
}

/// A JSON value as it was sent.
public struct RawJSON: Sendable, Hashable {
  /// The text, octet for octet as it was sent.
  public let text: String
  /// The same value without blanks and without escapes that need not be, in the same order: as JavaScript's `JSON.stringify` would have
  /// written it.
  public let canonical: String

  /// The value that `text` holds, or nil if that is no JSON.
  public init?(_ text: String) {
    guard let scanner = try? JSONScanner(Array(text.utf8)) else { return nil }
    self.init(text: text, canonical: String(decoding: scanner.canonical, as: UTF8.self))
  }

  init(text: String, canonical: String) {
    self.text = text
    self.canonical = canonical
  }
}

import PKI

/// When a CA wants a certificate renewed (RFC 9773, section 4.2). A window that does not end after it begins is none, and makes the object
/// unreadable.
struct RenewalInfo: Decodable, Sendable, Hashable {
  /// More octets than these are no renewal information.
  static let maximumSize = 1 << 14

  let start: Instant
  let end: Instant
  /// A page that says why, for a person.
  let explanation: ResourceURL?

  private enum Member: CodingKey { case suggestedWindow, explanationURL }

  private struct Window: Decodable {
    let start: Timestamp
    let end: Timestamp
  }

  init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: Member.self)
    let window = try members.decode(Window.self, forKey: .suggestedWindow)
    guard let start = window.start.instant, let end = window.end.instant, start < end else {
      throw DecodingError.dataCorruptedError(forKey: .suggestedWindow, in: members, debugDescription: "The window does not end after it begins.")
    }
    self.start = start
    self.end = end
    // What is shown to a person as a link is a URL of the web, or left out: the window counts without it.
    explanation = try? members.decode(ResourceURL.self, forKey: .explanationURL)
  }
}

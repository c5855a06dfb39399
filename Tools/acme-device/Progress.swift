import AppWebsocket
import Glibc
import Systemd

/// Tells the person who looks on what happens, on standard error.
struct Progress: Sendable {
  /// Whether every message is shown.
  let traces: Bool
  private let write: @Sendable (String) -> Void
  /// Hands a record to the journal, and says whether it was taken; nil where nobody reads it there.
  private let journal: (@Sendable (JournalRecord) -> Bool)?

  /// Progress that goes to `write`, line by line.
  init(
    traces: Bool = false, write: @escaping @Sendable (String) -> Void = Self.standardError, journal: (@Sendable (JournalRecord) -> Bool)? = nil
  ) {
    self.traces = traces
    self.journal = journal
    self.write = write
  }

  /// Says one thing.
  func say(_ sentence: String) { write("acme-device: " + Self.printable(sentence)) }

  /// Tells of an alarm or its end: as a record of its own kind where standard error is the journal, else as a line.
  func alarm(_ alarm: CertificateAlarm) {
    let text = Self.printable(alarm.text)
    if journal?(alarm.record(text)) == true { return }
    say(alarm.isOver ? text : "alarm: \(text)")
  }

  /// Shows a message that is sent.
  func sent(_ text: String) { if traces { write("→ " + Self.printable(Self.withoutSecrets(text))) } }

  /// Shows a message that came.
  func received(_ text: String) { if traces { write("← " + Self.printable(Self.withoutSecrets(text))) } }

  /// The message without what could help to log in.
  static func withoutSecrets(_ text: String) -> String {
    guard let envelope = try? Envelope(text) else { return "\(text.utf8.count) bytes that are no message" }
    return ["digest", "key", "keyAuth", "password"].compactMap { envelope[$0]?.text }.reduce(text) { $0.replacing($1, with: "\"…\"") }
  }

  /// The text without what could steer the terminal or reorder its line: much of it comes from the other end.
  private static func printable(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { ShortText.isVisible($0) ? $0 : "\u{FFFD}" }))
  }

  /// Hands a record to the journal.
  static let journal: @Sendable (JournalRecord) -> Bool = { $0.send() }

  private static let standardError: @Sendable (String) -> Void = { line in
    let bytes = Array((line + "\n").utf8)
    _ = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}

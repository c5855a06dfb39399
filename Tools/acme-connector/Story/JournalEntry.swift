import FoundationEssentials

/// An entry of the journal, as far as a story needs it.
struct JournalEntry: Sendable {
  /// Microseconds since 1970, by the clock of whoever wrote it where that is known.
  let time: Int64
  private let fields: [String: String]

  /// A field by its name in the journal.
  subscript(name: String) -> String? { fields[name] }

  var service: String { fields["SYSLOG_IDENTIFIER"] ?? "-" }
  var message: String { fields["MESSAGE"] ?? "" }
  var trace: String? { fields["TRACE_ID"] }
  var request: String? { fields["REQUEST"] }

  /// - Parameter fields: by their names in the journal.
  init(time: Int64, fields: [String: String]) {
    self.time = time
    self.fields = fields
  }

  /// One line of `journalctl --output=json` (systemd.io/JOURNAL_EXPORT_FORMATS, "Journal JSON Format"); nil for anything else.
  init?(json line: Substring) {
    guard let values = try? JSONDecoder().decode([String: Value].self, from: Data(line.utf8)) else { return nil }
    let fields = values.compactMapValues(\.text)
    guard let time = (fields["_SOURCE_REALTIME_TIMESTAMP"] ?? fields["__REALTIME_TIMESTAMP"]).flatMap({ Int64($0) }) else { return nil }
    self.init(time: time, fields: fields)
  }

  /// A field: a text, null when it was too long, a list of bytes when it is no UTF-8, a list of texts when it was given more than once.
  private struct Value: Decodable {
    let text: String?

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let text = try? container.decode(String.self) {
        self.text = text
      } else if let bytes = try? container.decode([UInt8].self) {
        text = String(decoding: bytes, as: UTF8.self)
      } else {
        text = (try? container.decode([Value].self))?.first?.text
      }
    }
  }
}

extension JournalEntry {
  /// One line as ``LineSink`` writes it: time, level, service, message, `key=value`…; nil for anything else.
  init?(line: Substring) {
    let words = line.split(separator: " ", maxSplits: 3).map(String.init)
    guard words.count == 4, words[2].hasSuffix(":"), let priority = Self.priorities.firstIndex(of: words[1]),
      let date = try? Date(words[0], strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    else { return nil }
    let (message, pairs): (String, [(key: String, value: String)]) = Self.split(words[3])
    var fields = Dictionary(pairs.map { ($0.key == "trace" ? "TRACE_ID" : $0.key.uppercased(), $0.value) }, uniquingKeysWith: { $1 })
    fields["MESSAGE"] = Self.unescaped(message)
    fields["SYSLOG_IDENTIFIER"] = String(words[2].dropLast())
    fields["PRIORITY"] = "\(priority)"
    self.init(time: Int64((date.timeIntervalSince1970 * 1_000_000).rounded()), fields: fields)
  }

  /// The levels of swift-log by the journal's `PRIORITY`; trace and debug are one.
  private static let priorities = ["-", "-", "critical", "error", "warning", "notice", "info", "debug"]

  /// The message, and the pairs at the end of the line. Read from the end, for a message may hold anything, and a value with a space is in quotes.
  private static func split(_ text: String) -> (message: String, pairs: [(key: String, value: String)]) {
    var rest = text[...]
    var pairs: [(key: String, value: String)] = []
    while let match = rest.firstMatch(of: /^(.*) ([A-Za-z_]+)=("(?:[^"\\]|\\.)*"|[^ "=]*)$/) {
      let value = match.3.hasPrefix("\"") ? match.3.dropFirst().dropLast() : match.3
      pairs.append((String(match.2), unescaped(String(value))))
      rest = match.1
    }
    return (String(rest), pairs)
  }

  /// Undoes the escapes of a line.
  private static func unescaped(_ text: String) -> String {
    guard text.contains("\\") else { return text }
    return text.replacing(/\\(n|r|t|"|\\|u\{([0-9a-f]+)\})/) { match in
      switch match.1 {
      case "n": "\n"
      case "r": "\r"
      case "t": "\t"
      case "\"", "\\": String(match.1)
      default: match.2.flatMap { UInt32($0, radix: 16) }.flatMap(Unicode.Scalar.init).map(String.init) ?? ""
      }
    }
  }
}

public import Logging

/// What one log statement says, gathered from the statement, its logger and the task it runs in: all that a sink needs to write it down.
public struct LogRecord: Sendable {
  /// How grave it is.
  public let level: Logger.Level
  /// The logger's label.
  public let label: String
  /// The sentence.
  public let message: String
  /// The metadata, by key; within the limits below.
  public let fields: [(key: String, value: String)]
  /// Which story it belongs to.
  public let trace: TraceContext?
  /// Where the statement stands: `Module/File.swift`, the line and the function.
  public let source: (file: String, line: UInt, function: String)

  /// The most bytes of a message or a value. What a peer sent may be in there, and it must not flood the log.
  static let longestText = 4096
  /// The most fields of one record.
  static let mostFields = 64

  init(_ event: LogEvent, label: String, metadata: Logger.Metadata, trace: TraceContext?) {
    level = event.level
    self.label = label
    message = Self.bounded(event.message.description)
    fields = metadata.sorted { $0.key < $1.key }.prefix(Self.mostFields).map { ($0.key, Self.bounded($0.value.description)) }
    self.trace = trace
    source = (event.file, event.line, event.function)
  }

  /// The text, or as much of it as a record may hold, with a mark that there was more.
  static func bounded(_ text: String) -> String {
    guard text.utf8.count > longestText else { return text }
    // Cutting bytes may split a character; decoding repairs it.
    return String(decoding: text.utf8.prefix(longestText), as: UTF8.self) + "…"
  }
}

/// Where log records go.
public protocol LogSink: Sendable {
  /// Writes the record down. It must not fail and should not wait.
  func write(_ record: LogRecord)
}

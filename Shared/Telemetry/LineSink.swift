public import FoundationEssentials
import Glibc
import Logging
import Synchronization

/// Writes each record as one line: time, level, label, message, then `key=value` for the metadata and the trace.
///
/// Control characters and those that reorder text are written as escapes, so that nothing a peer sends can begin a line of its own or
/// paint over one.
public struct LineSink: LogSink {
  private let now: @Sendable () -> Date
  private let output: @Sendable (String) -> Void

  /// - Parameters:
  ///   - now: The time a line bears.
  ///   - output: Takes each finished line, its line break included; standard error if not given.
  public init(now: @escaping @Sendable () -> Date = { Date() }, output: @escaping @Sendable (String) -> Void = writeToStandardError) {
    self.now = now
    self.output = output
  }

  /// Writes the line.
  public func write(_ record: LogRecord) {
    let time = now().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    var line = "\(time) \(record.level.rawValue) \(record.label): \(LineText.escaped(record.message))"
    // An id is for the journal; `event` has its word.
    for field in record.fields where field.key != JournalEvent.idKey {
      line += " \(LineText.escaped(field.key))=\(LineText.value(field.value))"
    }
    if let trace = record.trace {
      line += " trace=\(trace.traceID)"
    }
    output(line + "\n")
  }

  private static let oneAtATime = Mutex(())

  /// Writes the text to standard error, whole and not mixed with another's.
  public static func writeToStandardError(_ text: String) {
    oneAtATime.withLock { _ in
      var rest = Array(text.utf8)[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
        if count < 0 && errno == EINTR { continue }
        // A log that cannot be written has no log to say so in.
        guard count > 0 else { return }
        rest = rest.dropFirst(count)
      }
    }
  }
}

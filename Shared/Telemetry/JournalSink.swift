import Logging
import Systemd

/// Writes records to the journal with their fields apart, so that `journalctl TRACE_ID=…` finds a story and nobody parses text.
///
/// Metadata becomes fields under the key in capitals: `device` is `DEVICE` (``LogField``). The id of a ``JournalEvent`` becomes the `MESSAGE_ID`
/// (systemd.journal-fields(7)).
public struct JournalSink: LogSink {
  private let identifier: String
  private let fallback: LineSink

  /// - Parameter identifier: The service's name, `SYSLOG_IDENTIFIER`.
  public init(identifier: String) {
    self.identifier = identifier
    fallback = LineSink()
  }

  /// Sends the record.
  public func write(_ record: LogRecord) {
    // Standard error is the journal's too; a line is better than nothing.
    if !journalRecord(record).send() { fallback.write(record) }
  }

  func journalRecord(_ record: LogRecord) -> JournalRecord {
    var journal = JournalRecord()
    // Who reads the journal sees the message alone, and is to see the cause.
    let cause = record.fields.first { $0.key == "error" }.map { ": \($0.value)" } ?? ""
    journal.add("MESSAGE", record.message + cause)
    journal.add("PRIORITY", "\(record.level.syslogPriority)")
    journal.add("SYSLOG_IDENTIFIER", identifier)
    journal.add("LOGGER", record.label)
    journal.add("CODE_FILE", record.source.file)
    journal.add("CODE_LINE", "\(record.source.line)")
    journal.add("CODE_FUNC", record.source.function)
    if let trace = record.trace {
      journal.add("TRACE_ID", trace.traceID)
      journal.add("SPAN_ID", trace.spanID)
    }
    let taken = Set(journal.fields.map(\.name))
    for field in record.fields {
      let key = field.key == JournalEvent.idKey ? "MESSAGE_ID" : field.key
      // A second value for MESSAGE or PRIORITY would make the record say two things.
      let isTaken = JournalRecord.fieldName(key).map(taken.contains) ?? false
      journal.add(isTaken ? "METADATA_\(key)" : key, field.value)
    }
    return journal
  }
}

extension Logger.Level {
  /// The severity of RFC 5424, as the journal's `PRIORITY`.
  fileprivate var syslogPriority: Int {
    switch self {
    case .trace, .debug: 7
    case .info: 6
    case .notice: 5
    case .warning: 4
    case .error: 3
    case .critical: 2
    }
  }
}

import FoundationEssentials
import Logging
import Synchronization
import Systemd
import Testing

@testable import Telemetry

/// Keeps the records it is given.
final class RecordingSink: LogSink {
  private let kept = Mutex<[LogRecord]>([])
  var records: [LogRecord] { kept.withLock { $0 } }
  func write(_ record: LogRecord) { kept.withLock { $0.append(record) } }
}

/// What the statement leaves behind as a line.
func line(_ statement: (Logger) -> Void) -> String {
  let sink = RecordingSink()
  statement(Logger(label: "test") { StructuredLogHandler(label: $0, level: .trace, sink: sink) })
  let lines = Mutex("")
  let lineSink = LineSink(now: { Date(timeIntervalSince1970: 1_767_225_600.5) }, output: { text in lines.withLock { $0 += text } })
  for record in sink.records { lineSink.write(record) }
  return lines.withLock { $0 }
}

@Suite struct LineLogTests {
  @Test("a record is one line: time, level, label, message, fields by name, trace")
  func format() throws {
    let trace = try #require(TraceContext(traceparent: TraceContextTests.example))
    let text = TraceContext.$current.withValue(trace) {
      line { $0.notice("order stored", metadata: ["dns": "a.example", "attempt": "2"]) }
    }
    #expect(
      text == "2026-01-01T00:00:00.500Z notice test: order stored attempt=2 dns=a.example trace=0af7651916cd43dd8448eb211c80319c\n")
  }

  @Test(
    "no text of a peer can begin a line of its own or paint over one",
    arguments: ["a\nb", "a\r\nb", "a\u{85}b", "a\u{2028}b", "a\u{2029}b", "a\u{0b}b", "a\u{1b}[2Kb", "a\u{202e}b", "a\0b"])
  func forgery(text: String) {
    let line = line { $0.info("got \(text)", metadata: ["key": "\(text)", "\(text)": "value"]) }
    #expect(line.unicodeScalars.filter { $0.properties.generalCategory == .control }.map(\.value) == [10])
    #expect(!line.unicodeScalars.contains { ["\u{2028}", "\u{2029}", "\u{202e}"].contains($0) })
    #expect(line.hasSuffix("\n"))
  }

  @Test("a value cannot pass for another key")
  func quoting() {
    let line = line { $0.info("m", metadata: ["name": "x trace=1", "quote": "say \"no\"", "empty": ""]) }
    #expect(line.hasSuffix(#"m empty="" name="x trace=1" quote="say \"no\"""# + "\n"))
  }

  @Test("an escape cannot be mistaken for the character that was sent")
  func backslash() {
    #expect(line { $0.info(#"a\nb"#) }.hasSuffix(#"a\\nb"# + "\n"))
  }

  @Test("a message or value has an end, however long it was")
  func bounds() {
    let long = String(repeating: "ä", count: 100_000)
    let line = line { $0.info("\(long)", metadata: ["value": "\(long)"]) }
    #expect(line.utf8.count < 9_000)
    #expect(line.contains("…"))
  }

  @Test("an error given to the statement is a field")
  func errorField() {
    struct Cause: Error, CustomStringConvertible { let description = "disk full" }
    #expect(line { $0.error("cannot store", error: Cause()) }.hasSuffix("cannot store error=\"disk full\"\n"))
  }
}

@Suite struct StructuredLogHandlerTests {
  @Test("level and metadata are values: changing one logger leaves its copy alone")
  func valueSemantics() {
    let sink = RecordingSink()
    var first = Logger(label: "first") { StructuredLogHandler(label: $0, level: .info, sink: sink) }
    first[metadataKey: "only-on"] = "first"
    var second = first
    second.logLevel = .error
    second[metadataKey: "only-on"] = "second"
    #expect(first.logLevel == .info && second.logLevel == .error)
    #expect(first[metadataKey: "only-on"] == "first" && second[metadataKey: "only-on"] == "second")
    first.debug("below the level")
    #expect(sink.records.isEmpty)
  }

  @Test("the nearer to the statement, the stronger the metadata")
  func precedence() {
    let sink = RecordingSink()
    var handler = StructuredLogHandler(label: "l", level: .info, sink: sink)
    handler.metadata = ["a": "logger", "b": "logger", "c": "logger"]
    handler.metadataProvider = Logger.MetadataProvider { ["b": "task", "c": "task"] }
    let made = handler
    Logger(label: "l") { _ in made }.info("m", metadata: ["c": "statement"])
    #expect(sink.records.first?.fields.map { "\($0.key)=\($0.value)" } == ["a=logger", "b=task", "c=statement"])
  }
}

@Suite struct JournalSinkTests {
  private func journalFields(_ statement: (Logger) -> Void) throws -> [String: String] {
    let sink = RecordingSink()
    statement(Logger(label: "label") { StructuredLogHandler(label: $0, level: .trace, sink: sink) })
    let record = try #require(sink.records.first)
    return Dictionary(JournalSink(identifier: "scheduler").journalRecord(record).fields.map { ($0.name, $0.value) }) { "\($0) twice \($1)" }
  }

  @Test("a record has the fields that journalctl searches by")
  func standardFields() throws {
    let trace = try #require(TraceContext(traceparent: TraceContextTests.example))
    let fields = try TraceContext.$current.withValue(trace) { try journalFields { $0.warning("two\nlines", metadata: ["orderURL": "https://ca/1"]) } }
    #expect(fields["MESSAGE"] == "two\nlines")
    #expect(fields["PRIORITY"] == "4")
    #expect(fields["SYSLOG_IDENTIFIER"] == "scheduler")
    #expect(fields["LOGGER"] == "label")
    #expect(fields["ORDERURL"] == "https://ca/1")
    #expect(fields["TRACE_ID"] == "0af7651916cd43dd8448eb211c80319c")
    #expect(fields["SPAN_ID"] == "b7ad6b7169203331")
    #expect(fields["CODE_FILE"] == "TelemetryTests/LogTests.swift")
    #expect(fields["CODE_LINE"] != nil && fields["CODE_FUNC"] != nil)
  }

  @Test("metadata cannot say the message a second time, and messageID marks the kind of event")
  func collisions() throws {
    let fields = try journalFields { $0.info("m", metadata: ["message": "other", "priority": "0", "messageID": "0123456789abcdef0123456789abcdef"]) }
    #expect(fields["MESSAGE"] == "m" && fields["METADATA_MESSAGE"] == "other")
    #expect(fields["PRIORITY"] == "6" && fields["METADATA_PRIORITY"] == "0")
    #expect(fields["MESSAGE_ID"] == "0123456789abcdef0123456789abcdef")
  }

  @Test("levels are the severities of syslog", arguments: zip(Logger.Level.allCases, ["7", "7", "6", "5", "4", "3", "2"]))
  func priorities(level: Logger.Level, priority: String) throws {
    #expect(try journalFields { $0.log(level: level, "m") }["PRIORITY"] == priority)
  }
}

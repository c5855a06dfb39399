import Logging
import Testing

@testable import Telemetry

@Suite("Traces") struct TraceTests {
  @Test("are written where they are on, whatever the log level, and marked with their category")
  func written() {
    let sink = RecordingSink()
    let logger = Logger(label: "test") { StructuredLogHandler(label: $0, level: .warning, sink: sink) }
    logger.trace(.httpClient, isOn: false, "left out")
    logger.trace(.httpClient, isOn: true, "GET", metadata: [.status: 200])
    #expect(sink.records.map(\.message) == ["GET"])
    #expect(sink.records.first?.level == .debug)
    #expect(sink.records.first?.fields.map { "\($0.key)=\($0.value)" } == ["category=HttpClient", "status=200"])
  }

  @Test("are bounded: so many lines a minute, one that says it, and how many were left out")
  func budget() {
    var budget = TraceBudget()
    let start = ContinuousClock.now
    #expect((0..<TraceBudget.lines).allSatisfy { _ in budget.take(at: start) == .written(unsaid: 0) })
    #expect(budget.take(at: start) == .full)
    #expect((0..<50).allSatisfy { _ in budget.take(at: start + .seconds(59)) == .leftOut })
    #expect(budget.take(at: start + .seconds(60)) == .written(unsaid: 51))
    #expect(budget.take(at: start + .seconds(61)) == .written(unsaid: 0))
  }

  @Test("are on for all, or for some devices; a device that is not known yet is traced only with all")
  func selection() {
    #expect(!TraceSelection().contains("a") && !TraceSelection().contains(nil))
    #expect(TraceSelection(all: true).contains("a") && TraceSelection(all: true).contains(nil))
    #expect(TraceSelection(devices: ["a"]).contains("a"))
    #expect(!TraceSelection(devices: ["a"]).contains("b") && !TraceSelection(devices: ["a"]).contains(nil))
  }

  @Test("a trace context says whether it is to be seen in detail, and a new one is not")
  func sampled() {
    let context = TraceContext.make()
    #expect(!context.isSampled && context.sampled(true).isSampled && !context.sampled(true).sampled(false).isSampled)
    #expect(context.sampled(true).traceID == context.traceID && context.sampled(true).spanID == context.spanID)
  }
}

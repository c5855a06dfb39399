import FoundationEssentials
import Testing

@testable import ACMEConnectorCommand

/// Told from recordings: what `journalctl --output=json` and the services themselves have written.
@Suite("The story of a certificate") struct StoryTests {
  private static let trace = "0af7651916cd43dd8448eb211c80319c"
  private static let receiptTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
  private static let request = "5d41402abc4b2a76b9719d911017c592"
  private static let older = "7d793037a0760186574b0282f2f435e7"

  /// As journald has it: out of order, with a field of bytes, and entries of other stories.
  private static let journal = """
    {"__REALTIME_TIMESTAMP":"1767225601500000","SYSLOG_IDENTIFIER":"acme-client","PRIORITY":"6","MESSAGE":"order made","ORDER":"https://ca/1","TRACE_ID":"\(trace)","REQUEST":"\(request)"}
    {"__REALTIME_TIMESTAMP":"1767225600990000","_SOURCE_REALTIME_TIMESTAMP":"1767225600000000","SYSLOG_IDENTIFIER":"device-gateway","PRIORITY":"6","MESSAGE":"CSR taken from its device","DEVICE":"d1","REQUEST":"\(request)","TRACE_ID":"\(trace)"}
    {"__REALTIME_TIMESTAMP":"1767225600005000","SYSLOG_IDENTIFIER":"scheduler","PRIORITY":"6","MESSAGE":"gave way","EVENT":"requestSuperseded","DEVICE":"d1","REQUEST":"\(older)","TRACE_ID":"\(trace)"}
    {"__REALTIME_TIMESTAMP":"1767225600006000","SYSLOG_IDENTIFIER":"scheduler","PRIORITY":"6","MESSAGE":"accepted","EVENT":"requestAccepted","DEVICE":"d1","REQUEST":"\(request)","TRACE_ID":"\(trace)"}
    {"__REALTIME_TIMESTAMP":"1767225602000000","SYSLOG_IDENTIFIER":"challenge-http","PRIORITY":"7","MESSAGE":[71,69,84,255],"CATEGORY":"Challenge","NAME":"a.example","TRACE_ID":"\(trace)"}
    {"__REALTIME_TIMESTAMP":"1767229200000000","SYSLOG_IDENTIFIER":"scheduler","PRIORITY":"6","MESSAGE":"confirmed","EVENT":"certificateInstalled","REQUEST":"\(request)","SERIAL":"0a","TRACE_ID":"\(receiptTrace)"}
    {"__REALTIME_TIMESTAMP":"1767225600000000","SYSLOG_IDENTIFIER":"scheduler","MESSAGE":"another","REQUEST":"\(older)","TRACE_ID":"ffffffffffffffffffffffffffffffff"}
    {"MESSAGE":null}
    no entry
    """

  private func show(_ id: String, in recording: String, _ options: String...) async throws -> TestConnector.Printed {
    try await TestConnector.serving([:]) { connector in
      let file = "\(connector.directory)/recording"
      try Data(recording.utf8).write(to: URL(filePath: file))
      return options.isEmpty
        ? try await connector.run("trace", "show", id, "--file", file) : try await connector.run("trace", "show", id, "--file", file, options[0])
    }
  }

  @Test("is told in order across the services, with the times between", arguments: [trace, request, receiptTrace, "d1", "a.example"])
  func told(id: String) async throws {
    let printed = try await show(id, in: Self.journal).output
    #expect(
      printed == """
        request: \(Self.request), \(Self.older)
        device:  d1
        names:   a.example
        serial:  0a
        trace:   \(Self.trace), \(Self.receiptTrace)
        TIME                      AFTER   SERVICE         NAME       WHAT
        2026-01-01T00:00:00.000Z  -       device-gateway  -          CSR taken from its device
        2026-01-01T00:00:00.005Z  5 ms    scheduler       -          gave way
        2026-01-01T00:00:00.006Z  1 ms    scheduler       -          accepted
        2026-01-01T00:00:01.500Z  1.4 s   acme-client     -          order made
        2026-01-01T00:00:02.000Z  500 ms  challenge-http  a.example  [Challenge] GET\u{FFFD}
        2026-01-01T01:00:00.000Z  59 min  scheduler       -          confirmed
        6 steps in 60 min

        """)
  }

  @Test("a request that gave way to another has its own story, not the other's")
  func superseded() async throws {
    let printed = try await show(Self.older, in: Self.journal).output
    #expect(printed.contains("another") && printed.contains("gave way") && !printed.contains("order made"))
  }

  @Test("with --json each step is an object on a line of its own")
  func json() async throws {
    let lines = try await show(Self.request, in: Self.journal, "--json").output.split(separator: "\n")
    #expect(lines.count == 6)
    #expect(
      lines[2] == """
        {"at":1767225600006,"device":"d1","event":"requestAccepted","level":"info","message":"accepted","request":"\(Self.request)","service":"scheduler","sincePrevious":1,"trace":"\(Self.trace)"}
        """)
  }

  @Test("is read from the services' own lines too")
  func lines() async throws {
    let log = """
      2026-01-01T00:00:00.500Z notice scheduler: order "a" = b\\n stored device=d1 reason="say \\"no\\" x=1" trace=\(Self.trace)
      2026-01-01T00:00:01.000Z info acme-client: order made order="https://ca/1?a=b" request=\(Self.request) trace=\(Self.trace)
      run-local: scheduler ended with status 1; \(Self.trace)
      """
    let lines = try await show(Self.trace, in: log, "--json").output.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(
      lines[0].contains(#""message":"order \"a\" = b\n stored""#) && lines[0].contains(#""level":"notice""#) && lines[0].contains(#""device":"d1""#))
  }

  @Test("what the journal does not know is said, not shown as empty")
  func unknown() async throws {
    let error = await #expect(throws: CommandError.self) { try await show("nobody", in: Self.journal) }
    #expect(error?.description.contains("nothing about nobody") == true)
  }

  @Test(
    "times are in the unit that says enough",
    arguments: [(5, "5 ms"), (1_250, "1.2 s"), (119_999, "119.9 s"), (180_000, "3 min"), (7_200_000, "2 h")])
  func times(milliseconds: Int64, text: String) {
    #expect(TraceShowCommand.text(milliseconds: milliseconds) == text)
  }
}

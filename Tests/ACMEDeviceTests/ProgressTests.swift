import AppWebsocket
import NIOConcurrencyHelpers
import Testing

@testable import ACMEDeviceCommand

@Suite("What the person who looks on is told")
struct ProgressTests {
  private func lines(traces: Bool, _ body: (Progress) -> Void) -> [String] {
    let lines = NIOLockedValueBox<[String]>([])
    body(Progress(traces: traces) { line in lines.withLockedValue { $0.append(line) } })
    return lines.withLockedValue { $0 }
  }

  @Test("a trace shows every message, and of a login not the digest")
  func digest() throws {
    let login = Login(.init(sip: "aa"), challenge: try #require(Challenge("0123456789abcdef")), password: "pwd")
    let lines = lines(traces: true) { $0.sent(login.text) }
    #expect(lines == [#"→ {"mt":"AppLogin","app":"","domain":"","sip":"aa","guid":"","dn":"","digest":"…"}"#])
  }

  @Test("without a trace no message is shown")
  func noTrace() {
    let lines = lines(traces: false) {
      $0.sent("{}")
      $0.received("{}")
    }
    #expect(lines.isEmpty)
  }

  @Test("what the connector says can not steer the terminal")
  func controlCharacters() {
    #expect(lines(traces: false) { $0.say("a\u{1B}[2J") } == ["acme-device: a\u{FFFD}[2J"])
  }
}

import AppWebsocket
import FoundationEssentials
import NIOConcurrencyHelpers
import PKI
import Systemd
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

  @Test("an alarm is a record of its own kind where there is a journal, else a line")
  func alarm() throws {
    let certificate = try MachineFixture().chain.leaf
    let alarm = CertificateAlarm(isOver: false, text: "It was\u{7} not renewed.", certificate)
    #expect(lines(traces: false) { $0.alarm(alarm) } == ["acme-device: alarm: It was\u{FFFD} not renewed."])
    let records = NIOLockedValueBox<[[String: String]]>([])
    let written = NIOLockedValueBox<[String]>([])
    let progress = Progress(
      write: { line in written.withLockedValue { $0.append(line) } },
      journal: { record in
        records.withLockedValue { $0.append(Dictionary(record.fields.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })) }
        return true
      })
    progress.alarm(alarm)
    let record = try #require(records.withLockedValue { $0.first })
    #expect(record["MESSAGE_ID"] == alarm.messageID && record["PRIORITY"] == "3" && record["END"] == "\(certificate.notAfter)")
    #expect(written.withLockedValue { $0.isEmpty })
  }

  @Test("the journal explains both kinds of alarm")
  func explained() throws {
    let certificate = try MachineFixture().chain.leaf
    let project = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let catalog = try #require(text(of: project.appending(path: "deploy/systemd/device/acme-device.catalog").path))
    for isOver in [true, false] {
      #expect(catalog.contains("-- \(CertificateAlarm(isOver: isOver, text: "", certificate).messageID)\n"))
    }
  }

  @Test("what the connector says cannot steer the terminal")
  func controlCharacters() {
    #expect(lines(traces: false) { $0.say("a\u{1B}[2J") } == ["acme-device: a\u{FFFD}[2J"])
  }
}

import FoundationEssentials
import Logging
import Telemetry
import Testing

@Suite("The events that administrators should know") struct JournalEventTests {
  private static let project = (0..<3).reduce(URL(filePath: #filePath)) { path, _ in path.deletingLastPathComponent() }

  /// One entry of the catalog: what stands below `-- <id>`.
  private struct Explanation {
    var subject: String?
    var text = ""
  }

  private func catalog() throws -> [(id: String, explanation: Explanation)] {
    let file = Self.project.appending(path: "deploy/systemd/catalog/acme-connector.catalog")
    var entries: [(id: String, explanation: Explanation)] = []
    for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false) where !line.hasPrefix("#") {
      if line.hasPrefix("-- ") {
        entries.append((String(line.dropFirst(3)), Explanation()))
      } else if line.hasPrefix("Subject: ") {
        entries[entries.count - 1].explanation.subject = String(line.dropFirst(9))
      } else if !entries.isEmpty, !line.hasPrefix("Defined-By: ") {
        entries[entries.count - 1].explanation.text += line + "\n"
      }
    }
    return entries
  }

  @Test("the catalog explains each of them once, and nothing else")
  func catalogAndList() throws {
    let explained = try catalog()
    #expect(explained.map(\.id) == JournalEvent.allCases.map(\.id))
    for (id, explanation) in explained {
      #expect(explanation.subject?.isEmpty == false && explanation.text.contains { $0.isLetter }, "\(id)")
    }
  }

  @Test("the catalog uses only fields that records have")
  func catalogFields() throws {
    let known = Set(LogField.allCases.map { $0.rawValue.uppercased() } + ["TRACE_ID"])
    for (id, explanation) in try catalog() {
      for match in explanation.text.matches(of: /@([A-Z_]+)@/) { #expect(known.contains(String(match.1)), "\(match.1) in \(id)") }
    }
  }

  @Test("an id is 128 bits in lowercase hexadecimal digits", arguments: JournalEvent.allCases)
  func ids(event: JournalEvent) {
    #expect(event.id.wholeMatch(of: /[0-9a-f]{32}/) != nil)
  }

  @Test("each is told somewhere")
  func told() throws {
    var sources = ""
    for folder in ["Services", "Shared"].map({ Self.project.appending(path: $0).path }) {
      for file in try FileManager.default.subpathsOfDirectory(atPath: folder) where file.hasSuffix(".swift") && !file.hasSuffix("/JournalEvent.swift")
      {
        sources += try String(contentsOf: URL(filePath: "\(folder)/\(file)"), encoding: .utf8)
      }
    }
    for event in JournalEvent.allCases {
      #expect(sources.contains(try Regex("(log\\(\\s*|: )\\.\(event)\\b")), "\(event) is never told")
    }
  }

  @Test("a record has the event's word, its id and its level, and no field without a value")
  func record() throws {
    let sink = RecordingSink()
    let logger = Logger(label: "test") { StructuredLogHandler(label: $0, level: .info, sink: sink) }
    logger.log(.loginRefused, "login refused", metadata: [.peer: "192.0.2.1", .device: nil as String?])
    let record = try #require(sink.records.first)
    #expect(record.level == .warning)
    #expect(record.fields.map(\.key) == ["event", "messageID", "peer"])
    #expect(record.fields.map(\.value) == ["loginRefused", JournalEvent.loginRefused.id, "192.0.2.1"])
    #expect(line { $0.log(.loginRefused, "login refused") }.hasSuffix("test: login refused event=loginRefused\n"))
  }
}

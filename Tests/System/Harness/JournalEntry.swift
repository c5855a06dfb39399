import FoundationEssentials
import Programs

/// An entry of the journal, by the fields that these tests look at.
struct JournalEntry: Decodable, Sendable {
  var message: String
  var priority: String?
  var identifier: String?
  var trace: String?
  var transport: String?
  var device: String?
  var name: String?
  var order: String?

  enum CodingKeys: String, CodingKey {
    case message = "MESSAGE"
    case priority = "PRIORITY"
    case identifier = "SYSLOG_IDENTIFIER"
    case trace = "TRACE_ID"
    case transport = "_TRANSPORT"
    case device = "DEVICE"
    case name = "NAME"
    case order = "ORDER"
  }
}

extension Bed {
  /// Entries of the journal, as `journalctl` finds them.
  func journal(_ matches: String...) async throws -> [JournalEntry] {
    try await run("journalctl", "--sync")
    let outcome = try await outcome("journalctl", ["--output=json", "--quiet"] + matches)
    guard outcome.succeeded else { throw Failure("journalctl: \(outcome.complaints)") }
    return try outcome.output.split(separator: "\n").map { try JSONDecoder().decode(JournalEntry.self, from: Data($0.utf8)) }
  }
}

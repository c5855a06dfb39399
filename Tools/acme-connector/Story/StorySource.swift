import FoundationEssentials
import Subprocess

/// What an entry must say to belong: one of these.
struct JournalMatch: Hashable, Sendable {
  /// The field, as it stands in the journal.
  let field: String
  let value: String

  static func trace(_ id: String) -> JournalMatch { JournalMatch(field: "TRACE_ID", value: id) }
  static func request(_ id: String) -> JournalMatch { JournalMatch(field: "REQUEST", value: id) }
  static func device(_ id: String) -> JournalMatch { JournalMatch(field: "DEVICE", value: id) }
  static func name(_ name: String) -> JournalMatch { JournalMatch(field: "NAME", value: name) }
}

/// Where entries come from.
protocol StorySource: Sendable {
  /// The entries with any of these fields, in the order of time; the newest, if there are very many.
  func entries(_ matches: [JournalMatch]) async throws -> [JournalEntry]
}

/// The journal of this machine, read by journalctl(1): it knows all places and formats of journals, and what it prints can be recorded elsewhere.
struct SystemJournal: StorySource {
  /// More entries are no story that a person reads.
  static let mostEntries = 5_000
  /// Far more than so many entries have.
  private static let mostBytes = 64 << 20

  func entries(_ matches: [JournalMatch]) async throws -> [JournalEntry] {
    // Only our own services count: any program may write an entry with any id.
    let terms = matches.map { ["\($0.field)=\($0.value)", "_SYSTEMD_SLICE=acme-connector.slice"] }
    let arguments = ["--output=json", "--all", "--quiet", "--no-pager", "--lines=\(Self.mostEntries)"] + terms.joined(separator: ["+"])
    let result = try await Subprocess.run(
      .name("journalctl"), arguments: Arguments(arguments), output: .string(limit: Self.mostBytes), error: .string(limit: 65_536))
    let complaint = result.standardError.split(separator: "\n").first.map(String.init)
    guard result.terminationStatus.isSuccess else {
      throw CommandError("journalctl cannot read the journal (\(complaint ?? "\(result.terminationStatus)")); try it as root.")
    }
    return result.standardOutput.split(separator: "\n").compactMap { JournalEntry(json: $0) }.sorted { $0.time < $1.time }
  }
}

/// A file with entries: what `journalctl --output=json` has printed, or lines of the services' own.
struct RecordedJournal: StorySource {
  private let lines: [Substring]

  /// - Throws: a ``CommandError`` that names the file.
  init(path: String) throws {
    lines = try InputFile.text(path, atMost: 256 << 20).split(separator: "\n")
  }

  func entries(_ matches: [JournalMatch]) -> [JournalEntry] {
    let found = lines.compactMap { line -> JournalEntry? in
      // Most lines are of other stories, and not worth being parsed.
      guard matches.contains(where: { line.contains($0.value) }) else { return nil }
      let entry = line.hasPrefix("{") ? JournalEntry(json: line) : JournalEntry(line: line)
      return entry.flatMap { entry in matches.contains { entry[$0.field] == $0.value } ? entry : nil }
    }
    return found.sorted { $0.time < $1.time }.suffix(SystemJournal.mostEntries)
  }
}

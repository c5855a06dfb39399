import ArgumentParser
import PKI

/// `acme-connector trace show`
struct TraceShowCommand: ConnectorCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Tells what the services did for one certificate, in order, with the times between the steps.",
    discussion: "It is read from the journal, so it reaches back as far as that does.")

  @Argument(help: "A trace id or a request id; or the id of a device or a DNS name, whose newest request is told of.") var id: String
  @Option(
    help: "Read this file in place of the journal: what `journalctl --output=json` has printed, or the log of deploy/run-local.", completion: .file())
  var file: String?
  @OptionGroup var options: ConnectorOptions

  func perform(with connector: Connector, on terminal: Terminal) async throws {
    let source: any StorySource = if let file { try RecordedJournal(path: file) } else { SystemJournal() }
    let story = try await Story.find(id, in: source)
    if options.json {
      for step in story.steps { try terminal.json(step) }
    } else {
      try show(story, on: terminal)
    }
  }

  private func show(_ story: Story, on terminal: Terminal) throws {
    try terminal.facts(story.facts)
    let table = Table(
      story.steps,
      [
        .init("TIME") { $0.at.description },
        .init("AFTER") { $0.sincePrevious.map { Self.text(milliseconds: $0) } },
        .init("SERVICE") { $0.service },
        .init("NAME") { $0.name },
        .init("WHAT") { step in (step.category.map { "[\($0)] " } ?? "") + step.message },
      ])
    try terminal.table(table, ifEmpty: "")
    if let first = story.steps.first, let last = story.steps.last {
      try terminal.line("\(story.steps.count) steps in \(Self.text(milliseconds: last.at.milliseconds - first.at.milliseconds))")
    }
  }

  /// A length of time in the unit that says enough: `5 ms`, `1.2 s`, `3 min`, `5 h`, `2 d`.
  static func text(milliseconds: Int64) -> String {
    switch milliseconds {
    case ..<1_000: "\(milliseconds) ms"
    case ..<120_000: "\(milliseconds / 1_000).\(milliseconds % 1_000 / 100) s"
    case ..<7_200_000: "\(milliseconds / 60_000) min"
    case ..<172_800_000: "\(milliseconds / 3_600_000) h"
    default: "\(milliseconds / 86_400_000) d"
    }
  }
}

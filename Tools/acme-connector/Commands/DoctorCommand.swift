import ArgumentParser
import NIOConcurrencyHelpers
import PKI
import SchedulerAPI
import Varlink

/// `acme-connector doctor`
struct DoctorCommand: ConnectorCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Finds out whether the CA would find the answers to its challenges at names, and if not, where and why.",
    discussion: """
      Looks at each name as a CA does, from this machine, and asks the CA for nothing. wrong: the CA will fail, or is about to; doubtful: it may, \
      or it only looks so from here. Exits with \(Self.wrong.rawValue) when something is wrong.
      """)
  /// Something is wrong with a name; that it could not be looked at is another matter.
  static let wrong = ExitCode(2)

  @Argument(help: "The names.", transform: DNSName.spelled) var names: [DNSName]
  @OptionGroup var options: ConnectorOptions

  func perform(with connector: Connector, on terminal: Terminal) async throws {
    let wrong = NIOLockedValueBox<Set<DNSName>>([])
    let show: @Sendable (AdminMethods.Diagnose.Reply) throws -> Void = { reply in
      if reply.findings.contains(where: { $0.severity == .wrong }) { wrong.withLockedValue { _ = $0.insert(reply.name) } }
      if options.json { return try terminal.json(reply) }
      try terminal.line("\(reply.name)")
      for finding in reply.findings {
        try terminal.line("  \(finding.severity.rawValue)  \(finding.code)  \(finding.text)")
      }
    }
    try show(try await connector.admin.stream(AdminMethods.Diagnose.self, .init(names: names)) { try show($0) })
    let ill = wrong.withLockedValue { $0.map(\.value).sorted() }
    guard ill.isEmpty else {
      try terminal.note("Something is wrong with \(ill.summary).")
      throw Self.wrong
    }
  }
}

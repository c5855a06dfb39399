import ArgumentParser
import SchedulerAPI

/// `acme-connector certificates`
struct CertificatesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "certificates", abstract: "Lists requests and their certificates; shows a chain.",
    subcommands: [List.self, Show.self], defaultSubcommand: List.self)

  /// `acme-connector certificates list`
  struct List: ConnectorCommand {
    static let configuration = CommandConfiguration(abstract: "Lists requests and their certificates.")

    @Flag(help: "Superseded ones too.") var all = false
    @Option(help: "Only those of one device, by id, key or name.") var device: String?
    @OptionGroup var options: ConnectorOptions

    func perform(with connector: Connector, on terminal: Terminal) async throws {
      let device: DeviceID? = if let device { try await connector.device(device) } else { nil }
      let reply = try await connector.admin.askAll(AdminMethods.ListCertificates.self, .init(device: device, all: all))
      if options.json { return try terminal.json(reply) }
      let now = terminal.now
      let table = Table(
        reply.certificates,
        [
          .init("REQUEST") { $0.request.rawValue },
          .init("DEVICE") { $0.device.rawValue },
          .init("SLOT") { $0.slot },
          .init("STATE") { certificate in certificate.state.rawValue + (certificate.error.map { ": \($0)" } ?? "") },
          .init("VALID UNTIL") { $0.notAfter?.text(at: now) },
          .init("DUE") { $0.dueAt?.text(at: now) },
          .init("DELIVERED") { $0.deliveredAt?.text(at: now) },
          .init("ISSUER") { $0.issuer },
          .init("NAMES") { NameList.short($0.names, of: $0.names.count) },
        ])
      try terminal.table(table, ifEmpty: "No certificate has been asked for.")
    }
  }

  /// `acme-connector certificates show`
  struct Show: ConnectorCommand {
    static let configuration = CommandConfiguration(abstract: "Prints a certificate and its issuers in PEM, leaf first, without the root.")

    @Argument(help: "The request whose certificate it is.") var request: RequestID
    @OptionGroup var options: ConnectorOptions

    func perform(with connector: Connector, on terminal: Terminal) async throws {
      let reply = try await connector.admin.ask(AdminMethods.GetChain.self, .init(request: request))
      if options.json { return try terminal.json(reply) }
      try terminal.verbatim(reply.chain)
    }
  }
}

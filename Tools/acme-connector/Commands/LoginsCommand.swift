import ArgumentParser
import DeviceGatewayAPI
import PKI

/// `acme-connector logins`
struct LoginsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logins", abstract: "Lists and changes the logins of devices and administrators.",
    subcommands: [List.self, AddLogin.self, RotateLogin.self, Remove.self, Describe.self], defaultSubcommand: List.self)

  /// `acme-connector logins list`
  struct List: ConnectorCommand {
    static let configuration = CommandConfiguration(abstract: "Lists the logins, without their secrets.")

    @OptionGroup var options: ConnectorOptions

    func perform(with connector: Connector, on terminal: Terminal) async throws {
      let reply = try await connector.logins.askAll(Logins.List.self, .init())
      if options.json { return try terminal.json(reply) }
      let now = terminal.now
      let table = Table(
        reply.logins,
        [
          .init("LOGIN") { $0.name },
          .init("KIND") { $0.kind.rawValue },
          .init("SCOPE") { $0.scope.rawValue },
          .init("DOMAIN") { $0.domain },
          .init("NAMES UNDER") { $0.nameSuffixes.joined(separator: ", ") },
          .init("LAST USED") { $0.secrets.compactMap(\.lastUsedAt).max()?.text(at: now) },
          .init("OLD SECRET UNTIL") { $0.secrets.compactMap(\.validUntil).max()?.text(at: now) },
        ])
      try terminal.table(table, ifEmpty: "There is no login; `acme-connector logins add` makes one.")
    }
  }

  /// `acme-connector logins remove`
  struct Remove: ConnectorCommand {
    static let configuration = CommandConfiguration(abstract: "Ends a login and closes its connections.")

    @Argument(help: "Its name.") var name: String
    @OptionGroup var options: ConnectorOptions

    func perform(with connector: Connector, on terminal: Terminal) async throws {
      // The gateway has nothing against the removal of what is not there, but whoever has mistyped a name should hear of it.
      guard try await connector.logins.ask(Logins.List.self, .init(name: name)).logins.contains(where: { $0.name == name }) else {
        throw CommandError("There is no login \(name); `acme-connector logins` lists them.")
      }
      let reply = try await connector.logins.ask(Logins.Remove.self, .init(name: name))
      if options.json { return try terminal.json(reply) }
      try terminal.line("Login \(name) is removed.")
    }
  }

  /// `acme-connector logins describe`
  struct Describe: ConnectorCommand {
    static let configuration = CommandConfiguration(abstract: "Shows how devices reach the gateway: the path of its URL, and the pin of its key.")

    @OptionGroup var options: ConnectorOptions

    func perform(with connector: Connector, on terminal: Terminal) async throws {
      let reply = try await connector.logins.ask(Logins.Describe.self)
      if options.json { return try terminal.json(reply) }
      try terminal.facts(GatewayFacts.lines(reply, now: terminal.now))
    }
  }
}

import ArgumentParser
import SchedulerAPI

/// `acme-connector settings`
struct SettingsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "settings", abstract: "Lists and changes settings; changes act at once.",
    subcommands: [List.self, Set.self, Unset.self], defaultSubcommand: List.self)

  /// `acme-connector settings list`
  struct List: ConnectorCommand {
    static let configuration = CommandConfiguration(abstract: "Lists all settings, their values and where these come from.")

    @OptionGroup var options: ConnectorOptions

    func perform(with connector: Connector, on terminal: Terminal) async throws {
      let reply = try await connector.admin.ask(AdminMethods.ListSettings.self)
      if options.json { return try terminal.json(reply) }
      let table = Table(
        reply.settings,
        [.init("KEY") { $0.key }, .init("VALUE") { $0.value }, .init("FROM") { $0.source.rawValue }, .init("MEANING") { $0.description }])
      try terminal.table(table, ifEmpty: "There are no settings.")
    }
  }

  /// `acme-connector settings set`
  struct Set: ConnectorCommand {
    static let configuration = CommandConfiguration(abstract: "Stores a value. One that file or environment fixes cannot be changed.")

    @Argument(help: "The setting.") var key: String
    // A list of one, for only lists take what begins with a dash: a number may be negative.
    @Argument(parsing: .allUnrecognized, help: "Its new value.") var value: [String]
    @Flag(help: "With authority.directory: change nothing, and say what that CA would mean for the certificates that there are.") var rehearse = false
    @OptionGroup var options: ConnectorOptions

    func validate() throws {
      guard value.count == 1 else { throw ValidationError("Give one value, in quotes if there are blanks in it.") }
      guard !rehearse || key == "authority.directory" else { throw ValidationError("Only authority.directory can be rehearsed.") }
    }

    func perform(with connector: Connector, on terminal: Terminal) async throws {
      let value = value.joined()
      if rehearse {
        let reply = try await connector.admin.ask(AdminMethods.Plan.self, .init(authority: value, limit: 1))
        if options.json { return try terminal.json(reply) }
        for sentence in reply.change?.sentences(at: terminal.now) ?? [] { try terminal.line(sentence) }
        for warning in reply.warnings { try terminal.line("Warning: \(warning)") }
        return try terminal.line("Nothing is changed; without --rehearse it is.")
      }
      try await connector.change(key, to: value, json: options.json, on: terminal)
    }
  }

  /// `acme-connector settings unset`
  struct Unset: ConnectorCommand {
    static let configuration = CommandConfiguration(abstract: "Forgets the stored value; the default holds again.")

    @Argument(help: "The setting.") var key: String
    @OptionGroup var options: ConnectorOptions

    func perform(with connector: Connector, on terminal: Terminal) async throws {
      try await connector.change(key, to: nil, json: options.json, on: terminal)
    }
  }
}

extension Connector {
  fileprivate func change(_ key: String, to value: String?, json: Bool, on terminal: Terminal) async throws {
    let reply = try await admin.ask(AdminMethods.ChangeSetting.self, .init(key: key, value: value))
    if json { return try terminal.json(reply) }
    try terminal.line("\(reply.setting.key) = \(reply.setting.value) (\(reply.setting.source.rawValue))")
  }
}

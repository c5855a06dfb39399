import ArgumentParser
import SchedulerAPI
import Varlink

/// `acme-connector account`
struct AccountCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "account", abstract: "Shows and changes the account at the CA.",
    subcommands: [Show.self, Contact.self, Rollover.self, Deactivate.self], defaultSubcommand: Show.self)

  /// `acme-connector account show`
  struct Show: ConnectorCommand {
    static let configuration = CommandConfiguration(abstract: "Shows the account as the CA has it; makes it, if there is none yet.")

    @OptionGroup var options: ConnectorOptions

    func perform(with connector: Connector, on terminal: Terminal) async throws {
      try terminal.show(try await connector.account(AdminMethods.GetAccount.self), json: options.json)
    }
  }

  /// `acme-connector account contact`
  struct Contact: ConnectorCommand {
    static let configuration = CommandConfiguration(
      abstract: "Sets the e-mail addresses that the CA may write to (authority.contact), and tells the CA at once.")

    @Argument(help: "The addresses; without any the CA is told once more those that are set.") var addresses: [String] = []
    @OptionGroup var options: ConnectorOptions

    func perform(with connector: Connector, on terminal: Terminal) async throws {
      if !addresses.isEmpty {
        _ = try await connector.admin.ask(
          AdminMethods.ChangeSetting.self, .init(key: "authority.contact", value: addresses.joined(separator: ",")))
      }
      try terminal.show(try await connector.account(AdminMethods.UpdateAccount.self), json: options.json)
    }
  }

  /// `acme-connector account rollover`
  struct Rollover: ConnectorCommand {
    static let configuration = CommandConfiguration(
      abstract: "Gives the account a new key in place of the old one, when the orders that are under way have ended.")

    @OptionGroup var options: ConnectorOptions

    func perform(with connector: Connector, on terminal: Terminal) async throws {
      try terminal.show(try await connector.account(AdminMethods.ChangeAccountKey.self), json: options.json)
    }
  }

  /// `acme-connector account deactivate`
  struct Deactivate: ConnectorCommand {
    static let configuration = CommandConfiguration(
      abstract: "Ends the account for good: nothing is ordered any more until there is another one. Certificates stay valid.")

    @Flag(help: "Do it without a question.") var yes = false
    @OptionGroup var options: ConnectorOptions

    func perform(with connector: Connector, on terminal: Terminal) async throws {
      if !yes {
        guard terminal.isInteractive else { throw CommandError("This ends the account for good; say --yes if that is meant.") }
        let answer = try terminal.ask("This ends the account at the CA for good, and nothing is ordered until there is another one. Type yes: ")
        guard answer == "yes" else { throw CommandError("Nothing was done.") }
      }
      try terminal.show(try await connector.account(AdminMethods.DeactivateAccount.self), json: options.json)
    }
  }
}

extension Connector {
  /// Has something done with the account; it may wait for orders that are under way, and for the CA.
  fileprivate func account<Method: VarlinkMethod>(
    _ method: Method.Type
  ) async throws -> AccountView where Method.Parameters == OnlyTrace, Method.Reply == AccountView {
    try await admin.call(method, OnlyTrace(), timeLimit: .seconds(210))
  }
}

extension Terminal {
  fileprivate func show(_ account: AccountView, json: Bool) throws {
    if json { return try self.json(account) }
    try facts([
      ("CA", account.directory), ("account", account.url), ("status", account.status),
      ("contact", account.contact.isEmpty ? "none that the CA shows" : account.contact.joined(separator: ", ")),
      ("thumbprint of its key", account.thumbprint),
    ])
  }
}

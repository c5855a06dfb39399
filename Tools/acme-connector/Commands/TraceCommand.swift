import ArgumentParser
import SchedulerAPI
import Telemetry
import Varlink

/// `acme-connector trace`
struct TraceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace", abstract: "Tells the story of a certificate; switches what the services write into the journal in detail.",
    discussion: """
      Categories: App (what the scheduler decides, and why), HttpClient (requests to the CA), AppWebsocket (messages of devices), Challenge \
      (what is asked for at port 80). Their lines have the priority debug, and CATEGORY in the journal.
      """,
    subcommands: [Status.self, On.self, Off.self, TraceShowCommand.self], defaultSubcommand: Status.self)

  /// `acme-connector trace status`
  struct Status: ConnectorCommand {
    static let configuration = CommandConfiguration(abstract: "Shows for which devices each category is traced.")

    @OptionGroup var options: ConnectorOptions

    func perform(with connector: Connector, on terminal: Terminal) async throws {
      try terminal.traces(try await connector.admin.ask(AdminMethods.ListTraces.self), json: options.json)
    }
  }

  /// What `on` and `off` are told.
  struct Selection: ParsableArguments {
    @Argument(help: "The categories; all of them if none is given.") var categories: [TraceCategory] = []
    @Option(help: "For one device only, by id, key or name.") var device: String?
  }

  /// `acme-connector trace on`
  struct On: ConnectorCommand {
    static let configuration = CommandConfiguration(abstract: "Traces from now on, through restarts, until it is switched off.")

    @OptionGroup var selection: Selection
    @OptionGroup var options: ConnectorOptions

    func perform(with connector: Connector, on terminal: Terminal) async throws {
      try terminal.traces(try await connector.switchTrace(selection, on: true), json: options.json)
    }
  }

  /// `acme-connector trace off`
  struct Off: ConnectorCommand {
    static let configuration = CommandConfiguration(abstract: "Traces no more: without --device, for no device at all.")

    @OptionGroup var selection: Selection
    @OptionGroup var options: ConnectorOptions

    func perform(with connector: Connector, on terminal: Terminal) async throws {
      try terminal.traces(try await connector.switchTrace(selection, on: false), json: options.json)
    }
  }
}

extension Connector {
  fileprivate func switchTrace(_ selection: TraceCommand.Selection, on: Bool) async throws -> AdminMethods.ListTraces.Reply {
    let device: DeviceID? = if let reference = selection.device { try await self.device(reference) } else { nil }
    let categories = selection.categories.isEmpty ? TraceCategory.allCases : selection.categories
    return try await admin.ask(AdminMethods.SetTrace.self, .init(categories: categories, on: on, device: device))
  }
}

extension Terminal {
  fileprivate func traces(_ reply: AdminMethods.ListTraces.Reply, json: Bool) throws {
    if json { return try self.json(reply) }
    let table = Table(
      reply.traces,
      [
        .init("CATEGORY") { $0.category.rawValue },
        .init("TRACED FOR") { trace in
          trace.all ? "all devices" : trace.devices.isEmpty ? "no device" : trace.devices.map(\.rawValue).joined(separator: ", ")
        },
        .init("FROM") { $0.source.rawValue },
      ])
    try self.table(table, ifEmpty: "There are no categories.")
  }
}

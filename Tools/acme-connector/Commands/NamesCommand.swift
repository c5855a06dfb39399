import ArgumentParser
import PKI
import SchedulerAPI
import Varlink

/// `acme-connector names`
struct NamesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "names", abstract: "Lists the names, who holds them and who waits for them; approves a change of hands.",
    subcommands: [List.self, Approve.self], defaultSubcommand: List.self)

  /// `acme-connector names list`
  struct List: ConnectorCommand {
    static let configuration = CommandConfiguration(abstract: "Lists the names.")

    @Option(help: "Only those of one device, by id, key or name.") var device: String?
    @OptionGroup var options: ConnectorOptions

    func perform(with connector: Connector, on terminal: Terminal) async throws {
      let device: DeviceID? = if let device { try await connector.device(device) } else { nil }
      let reply = try await connector.admin.askAll(AdminMethods.ListNames.self, .init(device: device))
      if options.json { return try terminal.json(reply) }
      let now = terminal.now
      let table = Table(
        reply.names,
        [
          .init("NAME") { $0.name.value },
          .init("DEVICE") { $0.device.rawValue },
          .init("SINCE") { $0.since.text(at: now) },
          .init("WAITING FOR APPROVAL") { name in
            name.claims.map { "\($0.device) since \($0.since.text(at: now))" }.joined(separator: ", ")
          },
        ])
      try terminal.table(table, ifEmpty: "No name is held.")
    }
  }

  /// `acme-connector names approve`
  struct Approve: ConnectorCommand {
    static let configuration = CommandConfiguration(abstract: "Gives a name to the device that waits for it; its request goes on.")

    @Argument(help: "The name.", transform: DNSName.spelled) var name: DNSName
    @Option(help: "The device that gets it, by id, key or name; may be left out when only one waits.") var device: String?
    @OptionGroup var options: ConnectorOptions

    func perform(with connector: Connector, on terminal: Terminal) async throws {
      let claimant =
        if let device { try await connector.device(device) } else { try await onlyClaimant(at: connector) }
      let reply = try await connector.admin.ask(AdminMethods.ApproveName.self, .init(name: name, device: claimant))
      if options.json { return try terminal.json(reply) }
      try terminal.line("\(name) belongs to device \(claimant) now.")
    }

    private func onlyClaimant(at connector: Connector) async throws -> DeviceID {
      let names = try await connector.admin.ask(AdminMethods.ListNames.self, .init(name: name)).names
      let devices = Set(names.flatMap(\.claims).map(\.device))
      guard let device = devices.first else { throw CommandError("No device waits for \(name).") }
      guard devices.count == 1 else {
        throw CommandError("Several devices wait for \(name); say which one gets it with --device: \(devices.map(\.rawValue).sorted().summary).")
      }
      return device
    }
  }
}

/// Names in one cell.
enum NameList {
  /// The first three of `count` names, and how many more there are.
  static func short(_ names: [DNSName], of count: Int) -> String {
    let shown = names.prefix(3).map(\.value).joined(separator: ", ")
    return count > 3 ? "\(shown) and \(count - 3) more" : shown
  }
}

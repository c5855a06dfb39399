import ArgumentParser
import PKI
import SchedulerAPI

/// `acme-connector devices retire`
struct RetireDevice: ConnectorCommand {
  static let configuration = CommandConfiguration(
    commandName: "retire", abstract: "Ends what the connector does for a device: no renewal, no alarm, and its names are free.")

  @Argument(help: "The device, by id, key or name.") var device: String
  @Flag(help: "Have its certificates revoked too.") var revoke = false
  @Option(help: "Why they are revoked.") var reason = RevocationReason.cessationOfOperation
  @OptionGroup var options: ConnectorOptions

  private struct Outcome: Encodable {
    var nameCount: Int
    var serials: [String]?
  }

  func perform(with connector: Connector, on terminal: Terminal) async throws {
    let device = try await connector.device(device)
    let retired = try await connector.admin.ask(AdminMethods.RetireDevice.self, .init(device: device))
    if !options.json { try terminal.line("Device \(device) is retired; \(retired.nameCount.names) free.") }
    let revoked = revoke ? try await connector.revoke(.init(device: device, reason: reason)) : nil
    if options.json { return try terminal.json(Outcome(nameCount: retired.nameCount, serials: revoked?.serials)) }
    if let revoked { try terminal.line(revoked.sentence) }
  }
}

/// `acme-connector devices reinstate`
struct ReinstateDevice: ConnectorCommand {
  static let configuration = CommandConfiguration(commandName: "reinstate", abstract: "Takes a retired device back.")

  @Argument(help: "The device, by id, key or name.") var device: String
  @OptionGroup var options: ConnectorOptions

  func perform(with connector: Connector, on terminal: Terminal) async throws {
    let device = try await connector.device(device, retired: true)
    let reply = try await connector.admin.ask(AdminMethods.ReinstateDevice.self, .init(device: device))
    if options.json { return try terminal.json(reply) }
    try terminal.line("Device \(device) is back; \(reply.nameCount.names) its own.")
  }
}

/// `acme-connector devices replace`
struct ReplaceDevice: ConnectorCommand {
  static let configuration = CommandConfiguration(
    commandName: "replace", abstract: "Retires a device and gives its names and its history to another one that has come already.")

  @Argument(help: "The device that goes, by id, key or name.") var device: String
  @Argument(help: "The device that takes its place.") var successor: String
  @OptionGroup var options: ConnectorOptions

  func perform(with connector: Connector, on terminal: Terminal) async throws {
    let (device, successor) = (try await connector.device(device), try await connector.device(successor))
    let reply = try await connector.admin.ask(AdminMethods.ReplaceDevice.self, .init(device: device, successor: successor))
    if options.json { return try terminal.json(reply) }
    try terminal.line("Device \(successor) has the place of \(device); \(reply.nameCount.names) its own now.")
  }
}

extension Int {
  /// So many names, with the verb that follows.
  fileprivate var names: String { self == 1 ? "1 name is" : "\(self) names are" }
}

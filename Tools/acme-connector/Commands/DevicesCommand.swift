import ArgumentParser
import SchedulerAPI

/// `acme-connector devices`
struct DevicesCommand: ConnectorCommand {
  static let configuration = CommandConfiguration(commandName: "devices", abstract: "Lists the devices and the names they hold.")

  @OptionGroup var options: ConnectorOptions

  func perform(with connector: Connector, on terminal: Terminal) async throws {
    let reply = try await connector.admin.ask(AdminMethods.ListDevices.self)
    if options.json { return try terminal.json(reply) }
    let now = terminal.now
    let table = Table(
      reply.devices,
      [
        .init("DEVICE") { $0.id.rawValue },
        .init("SCOPE") { $0.scope },
        .init("KEY") { $0.key },
        .init("NAME") { $0.name },
        .init("TYPE") { $0.kind },
        .init("PRODUCT") { [$0.product, $0.version].compactMap(\.self).joined(separator: " ") },
        .init("ADDRESS") { $0.address },
        .init("LAST SEEN") { $0.lastSeen.text(at: now) },
        .init("NAMES") { NameList.short($0.names) },
      ])
    try terminal.table(table, ifEmpty: "No device has come yet.")
  }
}

import ArgumentParser
import SchedulerAPI

/// `acme-connector devices`
struct DevicesCommand: ConnectorCommand {
  static let configuration = CommandConfiguration(commandName: "devices", abstract: "Lists the devices and the names they hold.")

  @OptionGroup var options: ConnectorOptions

  func perform(with connector: Connector, on terminal: Terminal) async throws {
    var reply = try await connector.admin.askAll(AdminMethods.ListDevices.self, .init())
    reply.devices.sort { ($0.firstSeen, $0.id.rawValue) < ($1.firstSeen, $1.id.rawValue) }
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
        .init("NAMES") { NameList.short($0.names, of: $0.nameCount) },
      ])
    try terminal.table(table, ifEmpty: "No device has come yet.")
  }
}

import ArgumentParser
import SchedulerAPI

/// `acme-connector devices`
struct DevicesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "devices", abstract: "Lists the devices and the names they hold; retires and replaces them.",
    subcommands: [List.self, RetireDevice.self, ReinstateDevice.self, ReplaceDevice.self], defaultSubcommand: List.self)

  /// `acme-connector devices list`
  struct List: ConnectorCommand {
    static let configuration = CommandConfiguration(abstract: "Lists the devices.")

    @Flag(help: "Retired ones too.") var all = false
    @OptionGroup var options: ConnectorOptions

    func perform(with connector: Connector, on terminal: Terminal) async throws {
      var reply = try await connector.admin.askAll(AdminMethods.ListDevices.self, .init())
      if !all { reply.devices.removeAll { $0.retiredAt != nil } }
      reply.devices.sort { ($0.firstSeen, $0.id.rawValue) < ($1.firstSeen, $1.id.rawValue) }
      if options.json { return try terminal.json(reply) }
      let now = terminal.now
      var columns: [Table.Column<DeviceView>] = [
        .init("DEVICE") { $0.id.rawValue },
        .init("SCOPE") { $0.scope },
        .init("KEY") { $0.key },
        .init("NAME") { $0.name },
        .init("TYPE") { $0.kind },
        .init("PRODUCT") { [$0.product, $0.version].compactMap(\.self).joined(separator: " ") },
        .init("ADDRESS") { $0.address },
        .init("LAST SEEN") { $0.lastSeen.text(at: now) },
        .init("NAMES") { NameList.short($0.names, of: $0.nameCount) },
      ]
      if all { columns.append(.init("RETIRED") { $0.retiredAt?.text(at: now) }) }
      try terminal.table(Table(reply.devices, columns), ifEmpty: "No device has come yet.")
    }
  }
}

import ArgumentParser
import SchedulerAPI

/// `acme-connector alarms`
struct AlarmsCommand: ConnectorCommand {
  static let configuration = CommandConfiguration(commandName: "alarms", abstract: "Lists what is wrong now, gravest first.")

  @Option(help: "Only those of one device, by id, key or name.") var device: String?
  @OptionGroup var options: ConnectorOptions

  func perform(with connector: Connector, on terminal: Terminal) async throws {
    let device: DeviceID? = if let device { try await connector.device(device) } else { nil }
    var reply = try await connector.admin.askAll(AdminMethods.ListAlarms.self, .init(device: device))
    reply.alarms.sort { ($1.severity, $0.since, $0.id) < ($0.severity, $1.since, $1.id) }
    if options.json { return try terminal.json(reply) }
    let now = terminal.now
    let table = Table(
      reply.alarms,
      [
        .init("SEVERITY") { "\($0.severity)" },
        .init("ALARM") { $0.code.rawValue },
        .init("SINCE") { $0.since.text(at: now) },
        .init("DEVICE") { $0.device?.rawValue },
        .init("TEXT") { $0.text },
      ])
    try terminal.table(table, ifEmpty: "No alarm stands.")
  }
}

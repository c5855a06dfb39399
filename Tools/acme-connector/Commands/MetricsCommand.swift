import ArgumentParser
import MetricsAPI
import Varlink

/// `acme-connector metrics`
struct MetricsCommand: ConnectorCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics", abstract: "Prints the counters of one service or of all, in the Prometheus text exposition format.",
    discussion: "With all services, each sample carries the label `service`.")

  @Argument(help: "The service; all of them without it.") var service: ServiceName?
  @OptionGroup var options: ConnectorOptions

  /// What one service answered.
  struct Readings: Encodable {
    var service: ServiceName
    var exposition: String
  }

  /// What all of them answered.
  struct AllReadings: Encodable {
    var services: [Readings]
  }

  func perform(with connector: Connector, on terminal: Terminal) async throws {
    if let service {
      let reply = try await connector.metrics(of: service).ask(Metrics.Read.self)
      return try options.json ? terminal.json(reply) : terminal.verbatim(reply.exposition)
    }
    var all = AllReadings(services: [])
    for service in ServiceName.allCases {
      do {
        let reply = try await connector.metrics(of: service).ask(Metrics.Read.self)
        all.services.append(Readings(service: service, exposition: reply.exposition))
      } catch {
        try terminal.note("\(service.rawValue): \(CommandError(explaining: error))")
      }
    }
    guard !all.services.isEmpty else { throw CommandError("No service has answered.") }
    if options.json { return try terminal.json(all) }
    try terminal.verbatim(Exposition.joined(all.services.map { ($0.service.rawValue, $0.exposition) }))
  }
}

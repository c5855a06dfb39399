import ArgumentParser
import PKI
import SchedulerAPI

/// `acme-connector renew`
struct RenewCommand: ConnectorCommand {
  static let configuration = CommandConfiguration(
    commandName: "renew", abstract: "Tries again: one request, a device's, those with a name, or all that failed.")

  @Option(help: "One request.") var request: RequestID?
  @Option(help: "All of a device, by id, key or name.") var device: String?
  @Option(help: "Those with this name.") var name: DNSName?
  @Flag(help: "End the pause after a failure; so it is without this word, too.") var now = false
  @Flag(help: "Even those whose certificate is valid, and at once what is not due.") var force = false
  @OptionGroup var options: ConnectorOptions

  func validate() throws {
    guard [request?.rawValue, device, name?.value].compactMap(\.self).count <= 1 else {
      throw ValidationError("Give one of --request, --device and --name.")
    }
    guard !force || request != nil || device != nil || name != nil else {
      throw ValidationError("--force needs one of --request, --device and --name: it would order everything anew.")
    }
  }

  func perform(with connector: Connector, on terminal: Terminal) async throws {
    let device: DeviceID? = if let device { try await connector.device(device) } else { nil }
    let reply = try await connector.admin.ask(
      AdminMethods.Renew.self, .init(request: request, device: device, name: name, force: force))
    if options.json { return try terminal.json(reply) }
    if reply.requests.isEmpty { return try terminal.line("There is nothing to try again.") }
    let more = reply.count > reply.requests.count ? " and \(reply.count - reply.requests.count) more" : ""
    try terminal.line("Queued: \(reply.requests.map(\.rawValue).joined(separator: ", "))\(more).")
  }
}

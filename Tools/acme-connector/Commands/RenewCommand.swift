import ArgumentParser
import PKI
import SchedulerAPI
import Varlink

/// `acme-connector renew`
struct RenewCommand: ConnectorCommand {
  static let configuration = CommandConfiguration(
    commandName: "renew", abstract: "Tries again: one request, a device's, those with a name, or all that failed; or renews many for a reason.",
    discussion: """
      With --reason certificates are renewed ahead of their time, as a campaign: their devices are asked for new CSRs, spread as the CA's limits \
      allow, those whose certificates end first before the others. `acme-connector campaigns` shows how far it is.
      """)

  @Option(help: "One request.") var request: RequestID?
  @Option(help: "All of a device, by id, key or name.") var device: String?
  @Option(help: "Those with this name.") var name: DNSName?
  @Flag(help: "End the pause after a failure; so it is without this word, too.") var now = false
  @Flag(help: "Even those whose certificate is valid, and at once what is not due or waits for a limit of the CA.") var force = false
  @Option(help: "Begin a campaign, for this reason; after keyCompromise only new keys are taken.") var reason: CampaignReason?
  @Flag(help: "With --reason: all certificates.") var all = false
  @Option(help: "With --reason: those of devices of this scope, as `acme-connector devices` shows it.") var scope: String?
  @Option(help: "With --reason: those with a name that is this one or below it.") var suffix: DNSName?
  @Option(help: "With --reason: within which time it is to be over, as 12h or 3d.") var deadline: TimeSpan?
  @OptionGroup var options: ConnectorOptions

  func validate() throws {
    let chosen = [request?.rawValue, device, name?.value].compactMap(\.self).count
    if reason != nil {
      let members = [device, scope, suffix?.value].compactMap(\.self).count
      guard request == nil, name == nil, !force, !now else {
        throw ValidationError("With --reason go --all, --device, --scope, --suffix and --deadline.")
      }
      guard all ? members == 0 : members > 0 else { throw ValidationError("Give --all, or one or more of --device, --scope and --suffix.") }
      return
    }
    guard !all, scope == nil, suffix == nil, deadline == nil else {
      throw ValidationError("--all, --scope, --suffix and --deadline need --reason.")
    }
    guard chosen <= 1 else { throw ValidationError("Give one of --request, --device and --name.") }
    guard !force || chosen > 0 else {
      throw ValidationError("--force needs one of --request, --device and --name: it would order everything anew.")
    }
  }

  func perform(with connector: Connector, on terminal: Terminal) async throws {
    let device: DeviceID? = if let device { try await connector.device(device) } else { nil }
    if let reason { return try await begin(reason.reason, of: device, at: connector, on: terminal) }
    let reply = try await connector.admin.ask(
      AdminMethods.Renew.self, .init(request: request, device: device, name: name, force: force))
    if options.json { return try terminal.json(reply) }
    if reply.requests.isEmpty { return try terminal.line("There is nothing to try again.") }
    let more = reply.count > reply.requests.count ? " and \(reply.count - reply.requests.count) more" : ""
    try terminal.line("Queued: \(reply.requests.map(\.rawValue).joined(separator: ", "))\(more).")
  }

  private func begin(_ reason: RenewalWish.Reason, of device: DeviceID?, at connector: Connector, on terminal: Terminal) async throws {
    let end = deadline.map { terminal.now + $0.duration }
    let reply = try await connector.admin.call(
      AdminMethods.BeginCampaign.self, .init(reason: reason, device: device, scope: scope, suffix: suffix, deadline: end), timeLimit: .seconds(300))
    if options.json { return try terminal.json(reply) }
    let campaign = reply.campaign
    let last = campaign.expectedAt.map { "; the last turn comes \($0.text(at: terminal.now))" } ?? ""
    try terminal.line("Campaign \(campaign.id) renews \(campaign.total) certificates\(last).")
    for warning in reply.warnings { try terminal.line("Warning: \(warning)") }
  }
}

/// Why many certificates are renewed.
enum CampaignReason: String, CaseIterable, ExpressibleByArgument {
  case forced, revoked, keyCompromise, authorityChanged

  /// The same in the words of the device protocol.
  var reason: RenewalWish.Reason {
    switch self {
    case .forced: .forced
    case .revoked: .revoked
    case .keyCompromise: .keyCompromise
    case .authorityChanged: .authorityChanged
    }
  }
}

import ArgumentParser
import PKI
import SchedulerAPI

/// `acme-connector campaigns`
struct CampaignsCommand: ConnectorCommand {
  static let configuration = CommandConfiguration(
    commandName: "campaigns", abstract: "Shows how far the renewals of many certificates are that `renew --reason` or the CA has begun.")

  @OptionGroup var options: ConnectorOptions

  func perform(with connector: Connector, on terminal: Terminal) async throws {
    let reply = try await connector.admin.ask(AdminMethods.ListCampaigns.self)
    if options.json { return try terminal.json(reply) }
    let now = terminal.now
    let table = Table(
      reply.campaigns,
      [
        .init("CAMPAIGN") { "\($0.id)" },
        .init("REASON") { $0.reason.rawValue + ($0.automatic ? ", by the CA" : "") },
        .init("BEGAN") { $0.startedAt.text(at: now) },
        .init("RENEWED") { "\($0.renewed) of \($0.total)" },
        .init("WAITING") { "\($0.waiting)" },
        .init("ASKED") { "\($0.asked)" },
        .init("ORDERED") { "\($0.ordered)" },
        .init("LAST TURN") { $0.expectedAt?.text(at: now) },
        .init("DEADLINE") { $0.deadline?.text(at: now) },
        .init("ENDED") { $0.endedAt?.text(at: now) },
      ])
    try terminal.table(table, ifEmpty: "There was no campaign yet.")
  }
}

extension CampaignView {
  /// How many of its certificates are renewed, or are no longer to be.
  var renewed: Int { max(0, total - waiting - asked - ordered) }
}

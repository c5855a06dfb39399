import ArgumentParser
import PKI
import SchedulerAPI
import Varlink

/// `acme-connector campaigns`
struct CampaignsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "campaigns", abstract: "Shows how far the renewals of many certificates are that `renew --reason` or the CA has begun; ends one.",
    subcommands: [List.self, End.self], defaultSubcommand: List.self)

  /// `acme-connector campaigns list`
  struct List: ConnectorCommand {
    static let configuration = CommandConfiguration(abstract: "Shows how far campaigns are.")

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
          .init("DEADLINE") { campaign in campaign.deadline.map { $0.text(at: now) + (campaign.isLate(at: now) ? ", late" : "") } },
          .init("ENDED") { $0.endedAt?.text(at: now) },
          .init("EXPLANATION") { $0.explanation },
        ])
      try terminal.table(table, ifEmpty: "There was no campaign yet.")
    }
  }

  /// `acme-connector campaigns end`
  struct End: ConnectorCommand {
    static let configuration = CommandConfiguration(
      abstract: "Ends a campaign that `renew --reason` has begun: what is not ordered yet is renewed in its own time.",
      discussion: "Keys that were said to have become known are refused all the same.")

    @Argument(help: "The campaign's number.") var campaign: Int
    @OptionGroup var options: ConnectorOptions

    func perform(with connector: Connector, on terminal: Terminal) async throws {
      let reply = try await connector.admin.call(AdminMethods.EndCampaign.self, .init(campaign: campaign), timeLimit: .seconds(300))
      if options.json { return try terminal.json(reply) }
      try terminal.line("Campaign \(campaign) is over; \(reply.returned) certificates are renewed in their own time.")
    }
  }
}

extension CampaignView {
  /// How many of its certificates are renewed, or are no longer to be.
  var renewed: Int { max(0, total - waiting - asked - ordered) }

  /// Whether it was not over by its deadline.
  func isLate(at now: Instant) -> Bool { deadline.map { $0 < endedAt ?? now } ?? false }
}

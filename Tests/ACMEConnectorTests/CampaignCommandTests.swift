import ArgumentParser
import PKI
import SchedulerAPI
import Testing
import Varlink

@testable import ACMEConnectorCommand

@Suite("Commands about many certificates at once")
struct CampaignCommandTests {
  private func admin(_ handlers: VarlinkHandler...) -> [String: VarlinkInterfaceHandlers] {
    ["admin.sock": VarlinkInterfaceHandlers(.admin, handlers)]
  }

  private func campaign(ended: Bool = false, deadline: Instant = TestConnector.now + .seconds(86_400)) -> CampaignView {
    CampaignView(
      id: 7, reason: .revoked, automatic: ended, explanation: ended ? "https://acme.example/incident" : nil, startedAt: Samples.seen,
      deadline: deadline,
      expectedAt: TestConnector.now + .seconds(3_600), endedAt: ended ? Samples.seen : nil, total: 12, waiting: ended ? 0 : 3, asked: ended ? 0 : 2,
      ordered: ended ? 0 : 1)
  }

  @Test("a campaign says at its beginning how many certificates it renews, until when, and what will go wrong")
  func begin() async throws {
    let handler = VarlinkHandler.reply(AdminMethods.BeginCampaign.self) { call, _ in
      #expect(call.reason == .keyCompromise && call.suffix?.value == "a.example" && call.scope == "domain:a" && call.device == nil)
      #expect(call.deadline == TestConnector.now + .seconds(3 * 86_400))
      return .init(campaign: campaign(), warnings: ["2 of 12 come too late."])
    }
    let printed = try await TestConnector.serving(admin(handler)) {
      try await $0.run("renew", "--reason", "keyCompromise", "--suffix", "a.example", "--scope", "domain:a", "--deadline", "3d")
    }
    #expect(
      printed.output == """
        Campaign 7 renews 12 certificates; the last turn comes 2026-11-23T13:00:00Z (in 60 minutes).
        Warning: 2 of 12 come too late.

        """)
  }

  @Test("another CA is rehearsed before it is set: what stays, what does not, and how long all would take")
  func rehearse() async throws {
    let plan = VarlinkHandler.reply(AdminMethods.Plan.self) { call, _ in
      #expect(call.authority == "https://acme.example/directory")
      let change = AuthorityChange(
        staying: 3, replaced: 1, allAt: TestConnector.now + .seconds(86_400), limit: "the CA's limit on orders of an account")
      return .init(turns: [], total: 4, days: [], warnings: ["Something."], change: change)
    }
    let arguments = ["settings", "set", "authority.directory", "https://acme.example/directory", "--rehearse"]
    let printed = try await TestConnector.serving(admin(plan)) { try await $0.run(arguments: arguments) }
    #expect(
      printed.output == """
        3 certificates of another CA stay until they are due.
        1 of a CA for trials are replaced at once.
        To replace all at once (renew --reason authorityChanged --all) would take until 2026-11-24T12:00:00Z (in 24 hours); the CA's limit on orders of an \
        account decides.
        Warning: Something.
        Nothing is changed; without --rehearse it is.

        """)
    #expect(throws: (any Error).self) { try ACMEConnector.parseAsRoot(["settings", "set", "gateway.names", "a.example", "--rehearse"]) }
  }

  @Test("campaigns are a table of how far they are, with what the CA says of them, and whether they are late")
  func list() async throws {
    let handler = VarlinkHandler.reply(AdminMethods.ListCampaigns.self) { _, _ in .init(campaigns: [campaign(), campaign(ended: true)]) }
    let lines = try await TestConnector.serving(admin(handler)) { try await $0.run("campaigns") }.output.split(separator: "\n")
    #expect(lines[1].hasPrefix("7         revoked ") && lines[1].contains(" 6 of 12 ") && lines[1].hasSuffix(" -"))
    #expect(lines[2].contains("revoked, by the CA") && lines[2].contains(" 12 of 12 ") && lines[2].contains("2026-11-23T11:30:00Z (30 minutes ago)"))
    #expect(lines[2].hasSuffix("  https://acme.example/incident") && !lines[1].contains(", late"))

    let late = VarlinkHandler.reply(AdminMethods.ListCampaigns.self) { _, _ in .init(campaigns: [campaign(deadline: Samples.seen)]) }
    let table = try await TestConnector.serving(admin(late)) { try await $0.run("campaigns") }.output
    #expect(table.contains("2026-11-23T11:30:00Z (30 minutes ago), late"))
  }

  @Test("a campaign that was a mistake is ended, and how many certificates that concerns is said")
  func end() async throws {
    let handler = VarlinkHandler.reply(AdminMethods.EndCampaign.self) { call, _ in
      #expect(call.campaign == 7)
      return .init(campaign: campaign(ended: true), returned: 5)
    }
    let printed = try await TestConnector.serving(admin(handler)) { try await $0.run("campaigns", "end", "7") }
    #expect(printed.output == "Campaign 7 is over; 5 certificates are renewed in their own time.\n")
  }

  @Test(
    "a campaign has a reason, and is for all or for some",
    arguments: [
      ["--all"], ["--reason", "forced"], ["--reason", "due", "--all"], ["--reason", "forced", "--all", "--scope", "instance"],
      ["--reason", "forced", "--all", "--force"], ["--reason", "forced", "--request", "r"], ["--deadline", "3d"],
    ])
  func usage(arguments: [String]) {
    #expect(throws: (any Error).self) { try ACMEConnector.parseAsRoot(["renew"] + arguments) }
  }
}

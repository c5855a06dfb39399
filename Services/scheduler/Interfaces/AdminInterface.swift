import ACMEClientAPI
import Logging
import PKI
import SchedulerAPI
import Telemetry
import Varlink

/// `org.acmeconnector.Admin` as it is served: what administrators see and do.
struct AdminInterface: Sendable {
  private typealias Methods = AdminMethods

  let fleet: Fleet
  /// acme-client.
  let client: VarlinkClient
  /// Since when the scheduler runs.
  let startedAt: Instant

  private var calls: FleetCalls { FleetCalls(fleet: fleet, words: .administrators) }

  var handlers: VarlinkInterfaceHandlers {
    VarlinkInterfaceHandlers(.admin, overview + devices + names + certificates + campaigns + settings + authority)
  }

  private var overview: [VarlinkHandler] {
    [
      calls.reply(Methods.Status.self) { _ in try await fleet.status(startedAt: startedAt) },
      calls.list(Methods.ListAlarms.self) { try await fleet.alarms(of: $0.device, after: $0.after, limit: Methods.ListAlarms.lookAhead) },
      calls.stream(Methods.ListEvents.self, requiresMore: false) { call, context, replies in
        try await fleet.events(call, following: context.wantsMore) { try await replies.send($0) }
      },
      calls.stream(Methods.Plan.self, requiresMore: false) { call, context, replies in
        try await fleet.plan(call, inParts: context.wantsMore) { try await replies.send($0) }
      },
    ]
  }

  private var devices: [VarlinkHandler] {
    [
      calls.list(Methods.ListDevices.self) { try await fleet.devices(called: $0.called, after: $0.after, limit: Methods.ListDevices.lookAhead) },
      calls.reply(Methods.RetireDevice.self) { .init(nameCount: try await fleet.retire($0.device)) },
      calls.reply(Methods.ReinstateDevice.self) { .init(nameCount: try await fleet.reinstate($0.device)) },
      calls.reply(Methods.ReplaceDevice.self) { .init(nameCount: try await fleet.replace($0.device, by: $0.successor)) },
    ]
  }

  private var names: [VarlinkHandler] {
    [
      calls.list(Methods.ListNames.self) { try await fleet.names($0.name, of: $0.device, after: $0.after, limit: Methods.ListNames.lookAhead) },
      calls.reply(Methods.ApproveName.self) { try await fleet.approve($0.name, for: $0.device) },
      calls.stream(Methods.Diagnose.self, requiresMore: false) { call, _, replies in
        try await fleet.diagnose(call.names, by: client) { try await replies.send($0) }
      },
    ]
  }

  private var certificates: [VarlinkHandler] {
    [
      calls.list(Methods.ListCertificates.self) {
        try await fleet.certificates(of: $0.device, all: $0.all, after: $0.after, limit: Methods.ListCertificates.lookAhead)
      },
      calls.reply(Methods.GetChain.self) { .init(chain: try await fleet.chain(of: $0.request)) },
      calls.stream(Methods.Request.self) { call, _, replies in try await fleet.request(call) { try await replies.send($0) } },
      calls.reply(Methods.Renew.self) { call in
        let selection = Fleet.Selection(request: call.request, device: call.device, name: call.name)
        let requests = try await fleet.renew(selection, force: call.force)
        fleet.audit("requests are tried again\(call.force ? ", by force" : "")", [.count: requests.count])
        return .init(requests: requests)
      },
      calls.reply(Methods.Revoke.self) { .init(serials: try await fleet.revoke(try $0.target, for: $0.reason, by: client)) },
    ]
  }

  private var campaigns: [VarlinkHandler] {
    [
      calls.reply(Methods.BeginCampaign.self) {
        try await fleet.begin(
          Fleet.CampaignSelection(reason: $0.reason, device: $0.device, scope: $0.scope, suffix: $0.suffix, deadline: $0.deadline))
      },
      calls.reply(Methods.EndCampaign.self) { try await fleet.end($0.campaign) },
      calls.reply(Methods.ListCampaigns.self) { _ in .init(campaigns: try await fleet.campaigns()) },
    ]
  }

  private var settings: [VarlinkHandler] {
    [
      calls.reply(Methods.ListSettings.self) { _ in .init(settings: fleet.settings.views) },
      calls.reply(Methods.ChangeSetting.self) { .init(setting: try await fleet.change($0.key, to: $0.value)) },
      calls.reply(Methods.ListTraces.self) { _ in .init(traces: fleet.traces) },
      calls.reply(Methods.SetTrace.self) { call in
        try await fleet.setTrace(call.categories, on: call.on, device: call.device)
        return .init(traces: fleet.traces)
      },
    ]
  }

  private var authority: [VarlinkHandler] {
    [
      calls.reply(Methods.DescribeAuthority.self) { try await fleet.describe($0, by: client) },
      calls.reply(Methods.GetAccount.self) { _ in try await fleet.account(ACMEClient.GetAccount.self, by: client) },
      calls.reply(Methods.UpdateAccount.self) { _ in try await change(ACMEClient.UpdateAccount.self, "the CA was told the contact") },
      calls.reply(Methods.ChangeAccountKey.self) { _ in try await change(ACMEClient.ChangeAccountKey.self, "the account's key was changed") },
      calls.reply(Methods.DeactivateAccount.self) { _ in try await change(ACMEClient.DeactivateAccount.self, "the account was deactivated") },
    ]
  }

  /// Has the account changed, and notes by whom.
  private func change<Method: VarlinkMethod>(
    _ method: Method.Type, _ done: Logger.Message
  ) async throws -> AccountView where Method.Parameters == ACMEClient.AuthorityParameters, Method.Reply == ACMEClient.Account {
    let account = try await fleet.account(method, by: client)
    fleet.audit(done, [.account: account.url])
    return account
  }
}

extension Fleet {
  /// Notes who had something done that leaves no event with the name of its author.
  func audit(_ message: Logger.Message, _ fields: LogFields) {
    logger.info(message, metadata: fields.merging([.uid: PeerCredentials.caller?.userID]))
  }
}

extension AdminMethods.Revoke.Parameters {
  fileprivate var target: Fleet.RevocationTarget {
    get throws {
      switch (fingerprint, serial, device) {
      case (let fingerprint?, nil, nil): .fingerprint(fingerprint)
      case (nil, let serial?, nil): .serial(serial)
      case (nil, nil, let device?): .device(device)
      default: throw Refusal(.badMessage, "One of fingerprint, serial number and device says what is to be revoked.")
      }
    }
  }
}

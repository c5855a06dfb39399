import ACMEClientAPI
import Logging
import PKI
import SchedulerAPI
import Telemetry
import Varlink

extension VarlinkInterfaceHandlers {
  /// What administrators see and do.
  /// - Parameters:
  ///   - client: acme-client.
  ///   - startedAt: since when the scheduler runs.
  static func admin(_ fleet: Fleet, client: VarlinkClient, startedAt: Instant) -> VarlinkInterfaceHandlers {
    typealias Methods = AdminMethods
    return VarlinkInterfaceHandlers(
      .admin,
      [
        .reply(Methods.Status.self) { _, _ in try await fleet.answer(.administrators) { try await fleet.status(startedAt: startedAt) } },
        .list(Methods.ListDevices.self) { call in
          try await fleet.answer(.administrators) {
            try await fleet.devices(called: call.called, after: call.after, limit: Methods.ListDevices.lookAhead)
          }
        },
        .reply(Methods.RetireDevice.self) { call, _ in
          try await fleet.answer(.administrators) { .init(nameCount: try await fleet.retire(call.device)) }
        },
        .reply(Methods.ReinstateDevice.self) { call, _ in
          try await fleet.answer(.administrators) { .init(nameCount: try await fleet.reinstate(call.device)) }
        },
        .reply(Methods.ReplaceDevice.self) { call, _ in
          try await fleet.answer(.administrators) { .init(nameCount: try await fleet.replace(call.device, by: call.successor)) }
        },
        .list(Methods.ListNames.self) { call in
          try await fleet.answer(.administrators) {
            try await fleet.names(call.name, of: call.device, after: call.after, limit: Methods.ListNames.lookAhead)
          }
        },
        .reply(Methods.ApproveName.self) { call, _ in
          try await fleet.answer(.administrators) {
            try await fleet.approve(call.name, for: call.device)
            return .init()
          }
        },
        .list(Methods.ListCertificates.self) { call in
          try await fleet.answer(.administrators) {
            try await fleet.certificates(of: call.device, all: call.all, after: call.after, limit: Methods.ListCertificates.lookAhead)
          }
        },
        .reply(Methods.GetChain.self) { call, _ in
          try await fleet.answer(.administrators) { .init(chain: try await fleet.chain(of: call.request)) }
        },
        .reply(Methods.Revoke.self) { call, _ in
          try await fleet.answer(.administrators) { .init(serials: try await fleet.revoke(try call.target, for: call.reason, by: client)) }
        },
        .list(Methods.ListAlarms.self) { call in
          try await fleet.answer(.administrators) {
            try await fleet.alarms(of: call.device, after: call.after, limit: Methods.ListAlarms.lookAhead)
          }
        },
        .stream(Methods.Plan.self, requiresMore: false) { call, context, replies in
          try await fleet.answer(.administrators) {
            try await fleet.plan(call, inParts: context.wantsMore) { try await replies.send($0) }
          }
        },
        .stream(Methods.ListEvents.self, requiresMore: false) { call, context, replies in
          try await fleet.answer(.administrators) {
            try await fleet.events(call, following: context.wantsMore) { try await replies.send($0) }
          }
        },
        .reply(Methods.Renew.self) { call, _ in
          try await fleet.answer(.administrators) {
            let selection = Fleet.Selection(request: call.request, device: call.device, name: call.name)
            let requests = try await fleet.renew(selection, force: call.force)
            fleet.audit("requests are tried again\(call.force ? ", by force" : "")", [.count: requests.count])
            return .init(requests: requests)
          }
        },
        .reply(Methods.BeginCampaign.self) { call, _ in
          try await fleet.answer(.administrators) {
            try await fleet.begin(
              Fleet.CampaignSelection(
                reason: call.reason, device: call.device, scope: call.scope, suffix: call.suffix, deadline: call.deadline))
          }
        },
        .reply(Methods.EndCampaign.self) { call, _ in
          try await fleet.answer(.administrators) { try await fleet.end(call.campaign) }
        },
        .reply(Methods.ListCampaigns.self) { _, _ in
          try await fleet.answer(.administrators) { .init(campaigns: try await fleet.campaigns()) }
        },
        .stream(Methods.Request.self) { call, _, replies in
          try await fleet.answer(.administrators) { try await fleet.request(call) { try await replies.send($0) } }
        },
        .reply(Methods.ListSettings.self) { _, _ in .init(settings: fleet.settings.views) },
        .reply(Methods.ChangeSetting.self) { call, _ in
          try await fleet.answer(.administrators) { .init(setting: try await fleet.change(call.key, to: call.value)) }
        },
        .reply(Methods.DescribeAuthority.self) { call, _ in
          try await fleet.answer(.administrators) { try await fleet.describe(call, by: client) }
        },
        .reply(Methods.GetAccount.self) { _, _ in
          try await fleet.answer(.administrators) { try await fleet.account(ACMEClient.GetAccount.self, by: client) }
        },
        .reply(Methods.UpdateAccount.self) { _, _ in
          try await fleet.answer(.administrators) {
            let account = try await fleet.account(ACMEClient.UpdateAccount.self, by: client)
            fleet.audit("the CA was told the contact", [.account: account.url])
            return account
          }
        },
        .reply(Methods.ChangeAccountKey.self) { _, _ in
          try await fleet.answer(.administrators) {
            let account = try await fleet.account(ACMEClient.ChangeAccountKey.self, by: client)
            fleet.audit("the account's key was changed", [.account: account.url])
            return account
          }
        },
        .reply(Methods.DeactivateAccount.self) { _, _ in
          try await fleet.answer(.administrators) {
            let account = try await fleet.account(ACMEClient.DeactivateAccount.self, by: client)
            fleet.audit("the account was deactivated", [.account: account.url])
            return account
          }
        },
        .stream(Methods.Diagnose.self, requiresMore: false) { call, _, replies in
          try await fleet.answer(.administrators) { try await fleet.diagnose(call.names, by: client) { try await replies.send($0) } }
        },
        .reply(Methods.ListTraces.self) { _, _ in .init(traces: fleet.traces) },
        .reply(Methods.SetTrace.self) { call, _ in
          try await fleet.answer(.administrators) {
            try await fleet.setTrace(call.categories, on: call.on, device: call.device)
            return .init(traces: fleet.traces)
          }
        },
      ])
  }
}

extension Fleet {
  /// Notes who had something done that leaves no event with the name of its author.
  fileprivate func audit(_ message: Logger.Message, _ fields: LogFields) {
    logger.info(message, metadata: fields.merging([.uid: PeerCredentials.caller?.userID]))
  }

  /// Takes a CSR of a device that cannot connect, and tells each state until there is nothing to wait for.
  fileprivate func request(
    _ call: AdminMethods.Request.Parameters, tell: @Sendable (AdminMethods.Request.Reply) async throws -> Void
  ) async throws -> AdminMethods.Request.Reply {
    let device = try await register(administratorsName: call.device)
    // Watching begins before the request does, so that no state is missed.
    var changes = watched.changes.open().makeAsyncIterator()
    var view = try await submit(Application(csr: call.csr, force: call.force, isByAdministrator: true), of: device)
    audit("a CSR was handed in", [.request: view.id, .device: device])
    while view.state.isPassing {
      try await tell(.init(view))
      do {
        view = try await next(of: view.id, in: &changes)
      } catch is Subscriptions<Watched.Change>.Overflow {
        // More happened than is kept for one reader; how it is now stands in the store.
        changes = watched.changes.open().makeAsyncIterator()
        view = try await resume(device, request: view.id, csrHash: nil, slot: nil)
      }
    }
    // The administrator has it now, for the device.
    if view.state == .ready { try await noteDelivered(view.id, to: device) }
    return .init(view)
  }

  private func next(
    of request: RequestID, in changes: inout AsyncThrowingStream<Watched.Change, any Error>.Iterator
  ) async throws -> RequestView {
    while let change = try await changes.next() {
      if let view = change.request, view.id == request { return view }
    }
    throw Restarting()
  }

  /// The events that are asked for; if `following`, each new one as it comes, until the caller goes away.
  fileprivate func events(
    _ call: AdminMethods.ListEvents.Parameters, following: Bool, tell: @Sendable (AdminMethods.ListEvents.Reply) async throws -> Void
  ) async throws -> AdminMethods.ListEvents.Reply {
    let news = watched.events.open()
    var last: Int
    if let after = call.after { last = after } else { last = try await place(beforeNewest: call.limit ?? 100, of: call.device) }
    func nextPart() async throws -> AdminMethods.ListEvents.Reply {
      let part = try AdminMethods.ListEvents.part(
        of: try await events(after: last, limit: AdminMethods.ListEvents.lookAhead, of: call.device))
      last = part.events.last?.id ?? last
      return part
    }
    var part = try await nextPart()
    guard following else { return part }
    // The first one is told even if it is empty: from then on the caller knows that it has missed nothing.
    try await tell(part)
    var iterator = news.makeAsyncIterator()
    while true {
      if part.next == nil, try await iterator.next() == nil { throw Restarting() }
      part = try await nextPart()
      if !part.events.isEmpty { try await tell(part) }
    }
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

extension RequestState {
  /// Whether something follows that is worth waiting for.
  fileprivate var isPassing: Bool {
    switch self {
    case .waitingForName, .queued, .ordering, .challenging, .finalizing: true
    case .notDue, .awaitingApproval, .ready, .installed, .failed, .superseded, .revoked: false
    }
  }
}

extension AdminMethods.Request.Reply {
  fileprivate init(_ view: RequestView) {
    let text: String? =
      switch view.state {
      case .awaitingApproval:
        view.name.map { "\($0) belongs to another device; approve it with `acme-connector names approve \($0)`." }
          ?? "A name belongs to another device; `acme-connector names` shows which."
      case .notDue: "The device has a certificate that is not due\(view.dueAt.map { " before \($0)" } ?? ""); --force orders all the same."
      case .superseded: "A newer request took its place."
      default: view.failure?.text
      }
    self.init(request: view.id, state: view.state, chain: view.certificate?.chain, text: text)
  }
}

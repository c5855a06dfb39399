import ACMEClientAPI
import PKI
import ServiceRuntime
import Varlink

/// `org.acmeconnector.ACMEClient` as it is served: each method is one call of what does the work.
struct ACMEClientInterface: Sendable {
  let issuance: Issuance
  let journal: OrderJournal
  let openOrders: OpenOrders
  let accounts: Accounts
  let directories: Directories
  let certificates: IssuedCertificates
  let doctor: Doctor
  let observer = Observer()

  var handlers: VarlinkInterfaceHandlers {
    VarlinkInterfaceHandlers(
      .acmeClient,
      [
        .stream(ACMEClient.Issue.self) { call, _, replies in try await issuance.issue(call) { try await replies.send($0) } },
        .reply(ACMEClient.Release.self) { call, _ in try await release(call.request) },
        .list(ACMEClient.ListOrders.self) { call in
          await journal.all.filter { entry in call.after.map { entry.request > $0 } ?? true }.sorted { $0.request < $1.request }
            .map(ACMEClient.Order.init)
        },
        .reply(ACMEClient.DescribeAuthority.self) { call, _ in try await problems { try await describe(call.authority) } },
        .reply(ACMEClient.GetAccount.self) { call, _ in
          try await problems { try await accounts.turns.read { try await accounts.describe(call.authority) } }
        },
        .reply(ACMEClient.UpdateAccount.self) { call, _ in
          try await problems { try await accounts.turns.read { try await accounts.update(call.authority) } }
        },
        .reply(ACMEClient.ChangeAccountKey.self) { call, _ in try await problems { try await accounts.changeKey(call.authority) } },
        .reply(ACMEClient.DeactivateAccount.self) { call, _ in try await problems { try await accounts.deactivate(call.authority) } },
        .reply(ACMEClient.GetRenewalInfo.self) { call, _ in try await certificates.renewalInfo(call) },
        .reply(ACMEClient.Revoke.self) { call, _ in
          try await certificates.revoke(call)
          return NoMembers()
        },
        .reply(ACMEClient.Observe.self) { call, _ in try await observer.observe(call) },
        .stream(ACMEClient.Diagnose.self, requiresMore: false) { call, _, replies in
          try await doctor.diagnose(call) { try await replies.send($0) }
        },
      ])
  }

  private func release(_ request: String) async throws -> NoMembers {
    try await journal.forget(request)
    RehearsedDeath.at("acme-client.released")
    await openOrders.release(request)
    return NoMembers()
  }

  private func describe(_ authority: Authority) async throws -> ACMEClient.DescribeAuthority.Reply {
    let (connection, date) = try await directories.describe(authority.directory, trustRoots: authority.trustRoots)
    let meta = connection.directory.meta
    return .init(
      description: AuthorityDescription(
        directory: connection.url.value, termsOfService: meta?.termsOfService, website: meta?.website, caaIdentities: meta?.caaIdentities ?? [],
        externalAccountRequired: meta?.externalAccountRequired ?? false, profiles: meta?.profiles ?? [:],
        renewalInfo: connection.directory.renewalInfo != nil, date: date))
  }

  private func problems<Reply>(_ body: () async throws -> Reply) async throws -> Reply {
    do {
      return try await body()
    } catch let error as ACMEError {
      throw ACMEClient.Failed(Problem(error))
    }
  }
}

extension ACMEClient.Order {
  fileprivate init(_ entry: JournalEntry) {
    let step: ACMEClient.Step =
      switch entry.stage {
      case .none, .intended: .ordering
      case .ordered: .challenging
      case .issued: .issued
      }
    self.init(
      request: entry.request, directory: entry.directory.value, step: step, url: entry.order?.value, names: entry.names, since: entry.since)
  }
}

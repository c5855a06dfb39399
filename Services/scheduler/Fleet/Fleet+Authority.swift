import ACMEClientAPI
import PKI
import SchedulerAPI
import Varlink

extension Fleet {
  /// What a CA says of itself, asked at this moment: what an administrator has to know before it is set.
  func describe(
    _ call: AdminMethods.DescribeAuthority.Parameters, by client: VarlinkClient
  ) async throws -> AdminMethods.DescribeAuthority.Reply {
    var asked = call.directory.map { Authority(directory: $0) } ?? settings.current.authority
    if let trustRoots = call.trustRoots { asked?.trustRoots = trustRoots }
    guard let authority = asked else { throw Refusal(.notConfigured, "No certificate authority is set yet; name the one to be asked.") }
    let found = try await ask(client, ACMEClient.DescribeAuthority.self, about: authority, timeLimit: .seconds(25)).description
    if let date = found.date, settings.current.authority(at: authority.directory) != nil {
      try await transact { try $0.reviewOwnClock(by: date, of: authority.directory) }
    }
    return .init(
      directory: found.directory, termsOfService: found.termsOfService, website: found.website,
      externalAccountRequired: found.externalAccountRequired, date: found.date)
  }

  /// Has something done with the account at the CA that is set. It may wait for orders that are under way, and for the CA.
  func account<Method: VarlinkMethod>(
    _ method: Method.Type, by client: VarlinkClient
  ) async throws -> AccountView where Method.Parameters == ACMEClient.AuthorityParameters, Method.Reply == ACMEClient.Account {
    guard let authority = settings.current.authority else {
      throw Refusal(.notConfigured, "No certificate authority is set yet; set authority.directory.")
    }
    let account = try await ask(client, method, about: authority, timeLimit: .seconds(200))
    return AccountView(
      directory: authority.directory, url: account.url, status: account.status, contact: account.contact, thumbprint: account.thumbprint)
  }

  private func ask<Method: VarlinkMethod>(
    _ client: VarlinkClient, _ method: Method.Type, about authority: Authority, timeLimit: Duration
  ) async throws -> Method.Reply where Method.Parameters == ACMEClient.AuthorityParameters {
    do {
      return try await client.call(method, .init(authority: authority), timeLimit: timeLimit)
    } catch let failed as ACMEClient.Failed {
      let failure = AttemptFailure(failed.problem)
      throw Refusal(Refusal.Word(rawValue: failure.error.rawValue), failure.explanation, name: failure.name)
    }
  }
}

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
    do {
      let found = try await client.call(ACMEClient.DescribeAuthority.self, .init(authority: authority), timeLimit: .seconds(25)).description
      return .init(
        directory: found.directory, termsOfService: found.termsOfService, website: found.website,
        externalAccountRequired: found.externalAccountRequired, date: found.date)
    } catch let failed as ACMEClient.Failed {
      let failure = AttemptFailure(failed.problem)
      throw Refusal(Refusal.Word(rawValue: failure.error), failure.explanation, name: failure.name)
    }
  }
}

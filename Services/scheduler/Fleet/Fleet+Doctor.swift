import ACMEClientAPI
import PKI
import SchedulerAPI
import Varlink

extension Fleet {
  /// Has the doctor look at names now, each for the device that holds it, else for one that says that it answers for it, and tells what it finds.
  func diagnose(
    _ names: [DNSName], by client: VarlinkClient, tell: @escaping @Sendable (AdminMethods.Diagnose.Reply) async throws -> Void
  ) async throws -> AdminMethods.Diagnose.Reply {
    var seen: Set<DNSName> = []
    let names = names.filter { seen.insert($0).inserted }
    guard (1...SigningRequest.maximumNames).contains(names.count) else {
      throw Refusal(.badMessage, "The doctor looks at 1 to \(SigningRequest.maximumNames) names at a time.")
    }
    let holders = try await store.read { [names] in
      let holders = try NameRecord.holders(of: names, from: $0)
      return try DeviceRecord.answering(for: names.filter { holders[$0] == nil }, from: $0).merging(holders) { $1 }
    }
    let call = examination(of: names.map { .init(name: $0, device: holders[$0]?.rawValue) }, for: settings.current.authority)
    let late = Refusal(
      Refusal.Word(rawValue: "internalError"), "The ACME client of the connector does not come to an end with these names; its journal tells why.")
    do {
      return try await within(Consultation.timeLimit, on: ContinuousClock(), or: late) {
        .init(try await client.stream(ACMEClient.Diagnose.self, call) { try await tell(.init($0)) })
      }
    } catch let failed as ACMEClient.Failed {
      throw Refusal(Refusal.Word(rawValue: failed.problem.error.rawValue), failed.problem.text)
    }
  }
}

extension AdminMethods.Diagnose.Reply {
  fileprivate init(_ reply: ACMEClient.Diagnose.Reply) {
    self.init(
      name: reply.name,
      findings: reply.findings.map {
        let severity: FindingSeverity =
          switch $0.severity {
          case .fine: .fine
          case .doubtful: .doubtful
          case .wrong: .wrong
          }
        return FindingView(code: $0.code.rawValue, severity: severity, name: $0.name, address: $0.address, text: $0.text)
      })
  }
}

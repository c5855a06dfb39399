import ACMEClientAPI
import FoundationEssentials
import ModelAuthority
import PKI
import Synchronization
import Testing

@testable import ACMEClient

@Suite("The doctor", .timeLimit(.minutes(1)))
struct DoctorTests {
  private static let loopback: DNSServer.Reply = .records([("n.acme.example", 1, [127, 0, 0, 1])])

  /// What is found at names that resolve to the responder's own web server.
  private func examine(
    _ bed: Testbed, zone: [String: [UInt16: DNSServer.Reply]] = ["n.acme.example": [1: loopback]], names: [String] = ["n.acme.example"],
    allowing networks: [String] = ["127.0.0.1"]
  ) async throws -> [ACMEClient.Diagnose.Reply] {
    let replies = Mutex<[ACMEClient.Diagnose.Reply]>([])
    try await DNSServer.run(zone) { server in
      let vantage = ACMEClient.Vantage(resolver: "127.0.0.1:\(server.port)", privateAddresses: networks, httpPort: bed.answers.port)
      let call = ACMEClient.Diagnose.Parameters(
        candidates: names.map { .init(name: CA.name($0)) }, authority: bed.authority, vantage: vantage)
      try await bed.withService { service in
        let last = try await service.doctor.diagnose(call) { reply in replies.withLock { $0.append(reply) } }
        replies.withLock { $0.append(last) }
      }
    }
    return replies.withLock { $0 }
  }

  @Test("finds the answer to a probe, withdraws it, and makes no account and no order")
  func answered() async throws {
    try await Testbed.withModel { bed, model in
      let replies = try await examine(bed)
      #expect(replies.map { $0.findings.map(\.code) } == [[.answered]])
      #expect(bed.answers.count == 0)
      #expect(model.report[.newAccount] == 0 && model.report[.newOrder] == 0 && model.report[.directory] == 1)
    }
  }

  @Test("says why an answer cannot be put in place")
  func refused() async throws {
    try await Testbed.withModel { bed, _ in
      bed.answers.refuse(CA.name("n.acme.example"), "Device x refuses.", required: true)
      let finding = try #require(try await examine(bed).first?.findings.first)
      #expect(finding.code == .responderFailed && finding.severity == .wrong && finding.text.contains("Device x refuses."))
    }
  }

  @Test("finds that what was put in place is not there")
  func lost() async throws {
    try await Testbed.withModel { bed, _ in
      bed.answers.lose(CA.name("n.acme.example"))
      try await #expect(examine(bed).first?.findings.map(\.code) == [.wrongServer])
    }
  }

  @Test("connects to no address that is not public, unless it is listed")
  func scanner() async throws {
    try await Testbed.withModel { bed, _ in
      let found = try await examine(bed, allowing: []).first?.findings ?? []
      #expect(found.map(\.code) == [.addressNotAllowed])
    }
  }

  @Test("looks at many names, and tells each once")
  func many() async throws {
    try await Testbed.withModel { bed, _ in
      let names = (0..<40).map { "n\($0).acme.example" }
      let zone = Dictionary(uniqueKeysWithValues: names.map { ($0, [UInt16(1): DNSServer.Reply.records([($0, 1, [127, 0, 0, 1])])]) })
      let replies = try await examine(bed, zone: zone, names: names)
      #expect(replies.map(\.name.value).sorted() == names.sorted() && replies.allSatisfy { $0.findings.map(\.code) == [.answered] })
      #expect(bed.answers.count == 0)
    }
  }

  @Test("refuses what makes no sense")
  func senseless() async throws {
    try await Testbed.withModel { bed, _ in
      await #expect(throws: ACMEClient.Failed.self) { try await examine(bed, names: []) }
      await #expect(throws: ACMEClient.Failed.self) { try await examine(bed, allowing: ["everywhere"]) }
    }
  }
}

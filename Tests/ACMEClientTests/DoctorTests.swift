import ACMEClientAPI
import FoundationEssentials
import ModelAuthority
import PKI
import RawSocket
import Synchronization
import Testing

@testable import ACMEClient

@Suite("The doctor", .timeLimit(.minutes(1)))
struct DoctorTests {
  private static let loopback: DNSServer.Reply = .records([("n.acme.example", 1, [127, 0, 0, 1])])

  /// What is found at names that resolve to the responder's own web server.
  private func examine(
    _ bed: Testbed, authority: Authority?? = nil, zone: [String: [UInt16: DNSServer.Reply]] = ["n.acme.example": [1: loopback]],
    names: [String] = ["n.acme.example"],
    allowing networks: [String] = ["127.0.0.1"]
  ) async throws -> [ACMEClient.Diagnose.Reply] {
    let replies = Mutex<[ACMEClient.Diagnose.Reply]>([])
    try await DNSServer.run(zone) { server in
      let vantage = ACMEClient.Vantage(resolver: "127.0.0.1:\(server.port)", privateAddresses: networks, httpPort: bed.answers.port)
      let call = ACMEClient.Diagnose.Parameters(
        candidates: names.map { .init(name: CA.name($0)) }, authority: authority ?? bed.authority, vantage: vantage)
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
      try await bed.isCleared()
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

  @Test("names who says nothing, and finds a hundred names well all the same, the first time and the next")
  func silence() async throws {
    try await Testbed.withModel { bed, _ in
      let silent = try RawSocket.listen(unix: bed.folder.appending(path: "run/responders/stuck.sock").path)
      let names = (0..<100).map { "n\($0).acme.example" }
      let zone = Dictionary(uniqueKeysWithValues: names.map { ($0, [UInt16(1): DNSServer.Reply.records([($0, 1, [127, 0, 0, 1])])]) })
      for _ in 1...2 {
        let replies = try await examine(bed, zone: zone, names: names)
        #expect(replies.count == 100)
        for reply in replies {
          #expect(reply.findings.map(\.code) == [.responderFailed, .answered] && reply.findings.first?.severity == .doubtful, "\(reply)")
          #expect(reply.findings.first?.text.contains("(stuck: ") == true)
        }
      }
      silent.close()
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
      try await bed.isCleared()
    }
  }

  /// Names of which the DNS never says anything, with one that is well among them.
  private static func silent(_ count: Int) -> (zone: [String: [UInt16: DNSServer.Reply]], names: [String]) {
    let names = (0..<count).map { "n\($0).silent.example" }
    let silent: [UInt16: DNSServer.Reply] = [1: .silence, 28: .silence, 257: .silence]
    let zone = Dictionary(uniqueKeysWithValues: names.map { ($0, silent) })
    return (zone.merging(["n.acme.example": [1: loopback]]) { $1 }, names)
  }

  @Test("tells each of a hundred names that are as slow as can be within ten seconds, and what is about to be ordered does not wait for them")
  func slow() async throws {
    try await Testbed.withModel { bed, _ in
      let (zone, names) = Self.silent(100)
      try await DNSServer.run(zone) { server in
        let call = { @Sendable (names: [String], beforeOrder: Bool) in
          ACMEClient.Diagnose.Parameters(
            candidates: names.map { .init(name: CA.name($0)) }, authority: nil,
            vantage: .init(resolver: "127.0.0.1:\(server.port)", privateAddresses: ["127.0.0.1"], httpPort: bed.answers.port),
            beforeOrder: beforeOrder)
        }
        try await bed.withService { service in
          async let all = ContinuousClock().measure { _ = try await service.doctor.diagnose(call(names, false)) { _ in } }
          async let others = ContinuousClock().measure { _ = try await service.doctor.diagnose(call(names, false)) { _ in } }
          try await bed.eventually { server.asked.count > 64 }
          let refused = try await service.problem { try await service.doctor.diagnose(call(names, false)) { _ in } }
          #expect(refused.error == .busy && refused.text.contains("256 names"))
          let began = ContinuousClock.now
          let well = try await service.doctor.diagnose(call(["n.acme.example"], true)) { _ in }
          #expect(well.findings.map(\.code) == [.answered] && ContinuousClock.now - began < .seconds(3))
          #expect(try await all < .seconds(10))
          #expect(try await others < .seconds(10))
          _ = try await service.doctor.diagnose(call(["n.acme.example"], false)) { _ in }
        }
      }
    }
  }

  @Test("does not say of a CA that is not set, or whose directory cannot be read, that CAA forbids it")
  func unknownAuthority() async throws {
    try await Testbed.withModel { bed, _ in
      let zone: [String: [UInt16: DNSServer.Reply]] = [
        "n.acme.example": [1: Self.loopback, 257: .records([DNSServer.authorization("n.acme.example", "issue", "other.example")])]
      ]
      try await #expect(examine(bed, zone: zone).first?.findings.map(\.code) == [.caaForbids, .answered])
      var nowhere = bed.authority
      nowhere.directory = "https://127.0.0.1:1/directory"
      for authority in [nil, nowhere] {
        let found = try await examine(bed, authority: .some(authority), zone: zone).first?.findings ?? []
        #expect(Set(found.map(\.code)) == [.authorityUnread, .answered] && found.allSatisfy { $0.severity < .wrong }, "\(found)")
      }
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

extension Testbed {
  /// Returns when no answer is in place any more.
  fileprivate func isCleared() async throws { try await eventually { answers.count == 0 } }

  fileprivate func eventually(_ condition: () -> Bool) async throws {
    for _ in 0..<2_000 {
      if condition() { return }
      try await Task.sleep(for: .milliseconds(2))
    }
    Issue.record("it never happened")
  }
}

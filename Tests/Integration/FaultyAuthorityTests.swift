import FoundationEssentials
import ModelAuthority
import Programs
import SchedulerAPI
import Testing

extension Integration {
  @Suite("A CA that goes wrong, and real programs") struct FaultyAuthorityTests {
    /// What one try overcomes: one fault at every step.
    private static let overcome: [(resource: Resource, fault: Fault)] = [
      (.newAccount, .without(header: "replay-nonce")), (.newOrder, .half), (.authorization, .dropped),
      (.challenge, .refused(Refusal("conflict", status: 409, "being validated"))), (.finalize, .unanswered), (.certificate, .cutOff),
    ]

    @Test("one fault at every step costs the device nothing but a moment")
    func everyStep() async throws {
      let report = try await enroll(faults: Self.overcome) { device, trust, connector in
        let outcome = try await device.enroll(Testbed.names(2))
        try #require(outcome.succeeded, "\(outcome.complaints)")
        try await #require(device.holdsCertificate(for: Testbed.names(2), under: trust))
        try await #require(connector.certificates().count == 1)
      }
      try #require(report.deviations == [])
      try #require(report.ordersMade == 1 && report.certificatesIssued == 1)
      try #require(report.total < 80)
    }

    @Test("a limit of the CA's is told with its page, and the request gets its certificate when it is tried again")
    func limited() async throws {
      let page = "https://letsencrypt.org/docs/rate-limits"
      let refusal = Refusal("rateLimited", status: 429, "too many orders, see \(page)", retryAfter: "7200", links: ["help": page])
      let report = try await enroll(faults: [(.newOrder, .refused(refusal))]) { device, trust, connector in
        async let enrolment = device.enroll(Testbed.names(1))
        try await connector.firstRequest(in: .failed)
        let texts = try await connector.events().map(\.text)
        try #require(texts.contains { $0.contains("too many orders") && $0.contains(page) }, "\(texts)")
        try await #require(connector.administer("renew").succeeded)
        let outcome = try await enrolment
        try await #require(device.holdsCertificate(for: Testbed.names(1), under: trust), "\(outcome.complaints)")
      }
      try #require(report.deviations == [])
      try #require(report[.newOrder] == 2 && report.ordersMade == 1)
    }

    private func enroll(
      faults: [(resource: Resource, fault: Fault)], _ body: @escaping @Sendable (Device, String, Connector) async throws -> Void
    ) async throws -> Report {
      try await Testbed.withFolder { folder in
        let port = try Testbed.freePort()
        return try await Model.run(in: folder.appending(path: "model"), challengePort: port, faults: faults) { authority in
          try await Connector.run(in: folder.appending(path: "state"), authority: authority, challenges: port) { connector in
            try await body(Device(folder: folder.appending(path: "device"), connector: connector), authority.trust, connector)
          }
        }
      }
    }
  }
}

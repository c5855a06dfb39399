import FoundationEssentials
import Programs
import SchedulerAPI
import Testing

extension Integration {
  @Suite("What cannot be had is said clearly, and nothing is lost") struct RefusalTests {
    @Test("a name that the CA refuses")
    func blocked() async throws {
      try await Testbed.with(.init(blocked: ["blocked.example"])) { bed in
        let outcome = try await bed.device().enroll(["good.integration.example", "blocked.example"], limit: .seconds(10))
        try #require(!outcome.succeeded)
        try #require(outcome.complaints.contains("blocked.example"))
        try await expectFailure(in: bed, about: "blocked.example")
      }
    }

    @Test("a name behind which nobody answers; when somebody does, the device that waits gets its certificate")
    func unreachable() async throws {
      try await Testbed.with { bed in
        try await bed.pebble.resolve("away.integration.example", to: "127.0.0.2")
        let names = ["here.integration.example", "away.integration.example"]
        async let outcome = bed.device().enroll(names)
        try await bed.connector.firstRequest(in: .failed)
        let request = try await expectFailure(in: bed, about: "away.integration.example")

        try await bed.pebble.resolve("away.integration.example", to: "127.0.0.1")
        try await #require(bed.connector.administer("renew", "--request", request.rawValue).succeeded)
        let told = try await outcome.complaints
        try #require(told.contains("away.integration.example"))
        try await #require(bed.device().holdsCertificate(for: names, under: bed.pebble.root))
      }
    }

    @Test("a CA that is down; when it is up again, the same request gets its certificate")
    func down() async throws {
      try await Testbed.withFolder { folder in
        let (port, challenges) = (try Testbed.freePort(), try Testbed.freePort())
        let manners = Pebble.Manners(port: port)
        let pebbleFolder = folder.appending(path: "pebble")
        // It is up once, so that there is a certificate of its API to trust.
        let authority = try await Pebble.run(in: pebbleFolder, challengePort: challenges, manners: manners) { ($0.directory, $0.trust) }
        try await Connector.run(in: folder.appending(path: "state"), authority: authority, challenges: challenges) { connector in
          let device = Device(folder: folder.appending(path: "device"), connector: connector)
          let refused = try await device.enroll(Testbed.names(1), limit: .seconds(15))
          try #require(!refused.succeeded)
          try #require(refused.complaints.contains("caUnavailable"), "\(refused.complaints)")
          try await connector.firstRequest(in: .failed)

          try await Pebble.run(in: pebbleFolder, challengePort: challenges, manners: manners) { pebble in
            try await #require(connector.administer("renew").succeeded)
            let outcome = try await device.enroll(Testbed.names(1))
            try #require(outcome.succeeded, "\(outcome.complaints)")
            try await #require(device.holdsCertificate(for: Testbed.names(1), under: pebble.root))
            try #require(pebble.record() == .init(orders: 1, certificates: 1))
          }
        }
      }
    }

    @Test("an account at a CA that wants it bound to an external one; and with that one the certificate is had")
    func externalAccount() async throws {
      try await Testbed.with(.init(externalAccount: true)) { bed in
        let outcome = try await bed.device().enroll(Testbed.names(1), limit: .seconds(10))
        try #require(!outcome.succeeded)
        try #require(outcome.complaints.contains("accountProblem"), "\(outcome.complaints)")
      }
      try await Testbed.with(.init(externalAccount: true), credentials: ["external-account": Pebble.externalAccount]) { bed in
        let outcome = try await bed.device().enroll(Testbed.names(1))
        try #require(outcome.succeeded, "\(outcome.complaints)")
      }
    }

    /// The request failed, an event tells of it, and nothing was issued.
    @discardableResult
    private func expectFailure(in bed: Testbed, about name: String) async throws -> RequestID {
      let request = try await #require(bed.connector.certificates().first)
      try #require(request.state == .failed)
      try #require(request.text?.contains(name) == true, "\(request.text ?? "no text")")
      try await #require(bed.connector.events().contains { $0.request == request.request && $0.text.contains(name) })
      try #require(bed.pebble.record().certificates == 0)
      return request.request
    }
  }
}

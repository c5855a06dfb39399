import FoundationEssentials
import Programs
import Testing

extension SystemTests {
  @Suite("The journal") struct StoryTests {
    /// A step as `acme-connector trace show --json` prints it.
    struct Step: Decodable {
      var service: String
      var event: String?
      var category: String?
      var request: String?
      var serial: String?
      var sincePrevious: Int?
    }

    @Test("tells the story of a certificate from its CSR to its receipt, by any of its ids, with what was traced in it")
    func story() async throws {
      try await Bed.with { bed in
        try await bed.writeFirstSecrets()
        try await bed.run("acme-connector", "trace", "on")
        try await bed.withAuthority { _ in
          try await bed.enroll(["story.system.example"])
          try await bed.run("journalctl", "--sync")
          let accepted = try #require(try await bed.journal("EVENT=requestAccepted").first)
          let trace = try #require(accepted.trace)
          let steps = try await steps(of: trace, in: bed)
          #expect(Set(steps.map(\.service)) == Set(Unit.allCases.map(\.rawValue)))
          let events = steps.compactMap(\.event)
          #expect(events.first == "requestAccepted" || events.contains("requestAccepted"))
          let order = ["requestAccepted", "certificateIssued", "certificateDelivered", "certificateInstalled"]
          #expect(events.filter(order.contains) == order, "\(events)")
          #expect(steps.contains { $0.serial != nil } && steps.dropFirst().allSatisfy { ($0.sincePrevious ?? -1) >= 0 })
          #expect(Set(steps.compactMap(\.category)).isSuperset(of: ["App", "HttpClient", "AppWebsocket"]))
          let request = try #require(steps.compactMap(\.request).first)
          #expect(try await self.steps(of: request, in: bed).count == steps.count)
          #expect(try await bed.run("acme-connector", "trace", "show", trace).contains("steps in "))
          #expect(try await bed.outcome("acme-connector", ["trace", "show", "nobody.example"]).complaints.contains("nothing about"))
        }
      }
    }

    private func steps(of id: String, in bed: Bed) async throws -> [Step] {
      let lines = try await bed.run("acme-connector", "trace", "show", id, "--json").split(separator: "\n")
      return try lines.map { try JSONDecoder().decode(Step.self, from: Data($0.utf8)) }
    }

    @Test("what is traced outlives the service that keeps it")
    func restart() async throws {
      try await Bed.with { bed in
        try await bed.run("acme-connector", "trace", "on", "HttpClient")
        try await bed.run("systemctl", "restart", Unit.scheduler.service)
        let status = try await bed.run("acme-connector", "trace")
        #expect(status.contains("HttpClient    all devices") && status.contains("App           no device"), "\(status)")
      }
    }

    @Test("explains a failure and its remedy with journalctl -x, once the catalog is installed")
    func explained() async throws {
      try await Bed.with { bed in
        try await bed.run("journalctl", "--update-catalog")
        try await bed.wake(.deviceGateway)
        try await bed.run("journalctl", "--sync")
        let explained = try await bed.run("journalctl", "--catalog", "--unit=\(Unit.deviceGateway.service)", "EVENT=loginMissing")
        #expect(explained.contains("Subject: There is no login, so no device can come in"), "\(explained)")
        #expect(explained.contains("Remedy: acme-connector logins add"), "\(explained)")
      }
    }
  }
}

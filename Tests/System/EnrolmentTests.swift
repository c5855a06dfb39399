import FoundationEssentials
import Programs
import Testing

extension SystemTests {
  @Suite("A device gets its certificate") struct EnrolmentTests {
    @Test("from a real CA that looks at port 80, and one trace id in the journal tells the story across all services")
    func enrolled() async throws {
      try await Bed.with { bed in
        try await bed.writeFirstSecrets()
        try await bed.withAuthority { root in
          let names = ["pbx.system.example", "phones.system.example"]
          try await bed.enroll(names)
          try await bed.expectCertificate(for: names, in: "/root/device", under: root)
          try await expectStory(in: bed)
        }
      }
    }

    private func expectStory(in bed: Bed) async throws {
      let requests = try await bed.journal("SYSLOG_IDENTIFIER=device-gateway", "MESSAGE=CSR taken from its device")
      let trace = try #require(requests.first?.trace)
      let story = try await bed.journal("TRACE_ID=\(trace)")
      #expect(Set(story.compactMap(\.identifier)) == Set(Unit.allCases.map(\.rawValue)))
      #expect(story.allSatisfy { $0.transport == "journal" && $0.priority != nil })
    }
  }
}

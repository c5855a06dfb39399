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
          for name in names {
            let chain = ["-CAfile", root, "-untrusted", "/root/device/chain.pem", "/root/device/certificate.pem"]
            let verified = try await bed.outcome("openssl", ["verify", "-verify_hostname", name] + chain)
            #expect(verified.succeeded, "\(verified.complaints)")
          }
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

extension Bed {
  /// Runs Pebble inside, looking at port 80, has the connector use it, and hands the root it issues under to `body`.
  fileprivate func withAuthority(_ body: @Sendable (_ root: String) async throws -> Void) async throws {
    let log = FileManager.default.temporaryDirectory.appending(path: "pebble-\(UInt32.random(in: 0 ... .max)).log")
    defer { try? FileManager.default.removeItem(at: log) }
    let pebble = Command(Project.pebble, ["/run/pebble", "--http", "80"], environment: ["PEBBLE_VA_NOSLEEP": "1"])
    try await inside(pebble).whileRunning(log: log) { facts in
      for (key, value) in [("directory", facts["ready"]), ("trustRoots", facts["trust"]), ("termsAgreed", "true")] {
        try await run("acme-connector", "settings", "set", "authority.\(key)", value ?? "")
      }
      try await body(facts["root"] ?? "")
    }
  }

  /// `acme-device`, knowing the pin of the gateway's key and the first secret.
  fileprivate func enroll(_ names: [String]) async throws {
    struct Gateway: Decodable { var pin: String }
    let described = try await run("acme-connector", "logins", "describe", "--json")
    let pin = try JSONDecoder().decode(Gateway.self, from: Data(described.utf8)).pin
    let place = ["--connector", "wss://127.0.0.1:8443/connector", "--pin", pin, "--directory", "/root/device"]
    let who = ["--password-file", Self.deviceSecret, "--timeout", "60"]
    let outcome = try await outcome("acme-device", ["enroll"] + place + who + ["--name"] + names, limit: .seconds(70))
    guard outcome.succeeded else { throw Failure("acme-device: \(outcome.complaints)") }
  }
}

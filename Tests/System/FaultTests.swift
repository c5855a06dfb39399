import Programs
import Testing

extension SystemTests {
  @Suite("A fault in the installation is said in one line, and mended without ado") struct FaultTests {
    @Test("a socket unit whose name for the socket is wrong")
    func wrongName() async throws {
      try await Bed.with { bed in
        // The last is the one that may be left out.
        for role in Role.all.dropLast() {
          try await bed.run("systemctl", "stop", role.unit.service)
          try await bed.add("[Socket]\nFileDescriptorName=mistyped", to: role.socket)
          try await bed.run("systemctl", "--no-block", "start", role.unit.service)
          let told = "cannot start: socket \(role.name): was not passed to this process (passed: "
          try await bed.eventually("\(role.unit) did not tell that \(role.name) is missing") {
            let lines = try await bed.journal("--unit=\(role.unit.service)", "--priority=crit")
            return lines.contains { $0.message.contains(told) && $0.message.contains("mistyped") && $0.message.contains("FileDescriptorName=") }
          }
          try await bed.mend(role.socket)
          try await bed.eventually("\(role.unit) did not recover") { try await bed.state(of: role.unit.service) == "active" }
          #expect(try await bed.answers(role), "\(role.socket)")
        }
      }
    }

    @Test("no socket at port 8080 is no fault: not everyone has a reverse proxy")
    func masked() async throws {
      try await Bed.with { bed in
        try await bed.run("systemctl", "mask", "--now", "acme-connector-device-gateway-ws.socket")
        try await bed.wake(.deviceGateway)
        let complaints = try await bed.journal("--unit=\(Unit.deviceGateway.service)", "--priority=err")
        #expect(complaints.isEmpty, "\(complaints)")
      }
    }

    @Test("without first secrets the gateway says in one line what to do, and a login made then is there at once")
    func noCredential() async throws {
      try await Bed.with { bed in
        try await bed.wake(.deviceGateway)
        let warnings = try await bed.journal("--unit=\(Unit.deviceGateway.service)", "--priority=warning")
        #expect(warnings.map(\.message) == ["there is no login, so no device can come in; add one with acme-connector logins add"])
        try await bed.run("acme-connector", "logins", "add", "first")
        #expect(try await bed.run("acme-connector", "logins").contains("first"))
      }
    }

    @Test("secrets that are put in place later are taken at the next start")
    func laterCredential() async throws {
      try await Bed.with { bed in
        try await bed.wake(.deviceGateway)
        try await bed.writeFirstSecrets()
        try await bed.run("systemctl", "restart", Unit.deviceGateway.service)
        let logins = try await bed.run("acme-connector", "logins")
        #expect(logins.contains("device") && logins.contains("admin"), "\(logins)")
      }
    }
  }
}

extension Bed {
  /// Where the first secret of devices is.
  static let deviceSecret = "/etc/credstore/acme-connector.device"

  /// What `acme-connector setup` is there for.
  func writeFirstSecrets() async throws {
    try await run("install", "--directory", "--mode=700", "/etc/credstore")
    for (path, secret) in [(Self.deviceSecret, "d3viceSecretABC"), ("/etc/credstore/acme-connector.admin", "adm1nSecretABCD")] {
      try await write(secret, to: path)
      try await run("chmod", "600", path)
    }
  }
}

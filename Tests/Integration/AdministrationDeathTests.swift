import DeviceGatewayAPI
import FoundationEssentials
import Glibc
import PKI
import Programs
import SchedulerAPI
import Testing
import Varlink

extension Integration {
  @Suite("A service dies while an administrator waits, and what was asked for is done once") struct AdministrationDeathTests {
    @Test("a new login's secret is shown, and is the one that the gateway has")
    func add() async throws {
      try await killed(at: "device-gateway.loginsStored") { bed in
        let made = try await bed.connector.administer("logins", "add", "branch", "--json")
        try #require(made.succeeded, "\(made.complaints)")
        let secret = try JSONDecoder().decode(Made.self, from: Data(made.output.utf8)).secret
        let login = try await bed.connector.login("branch")
        try #require(login?.secrets.count == 1)
        let log = try bed.connector.log().split(separator: "\n")
        try #require(log.contains { $0.contains("login made") && $0.contains("uid=\(getuid())") })
        try await #require(bed.opensDoor(secret))
      }
    }

    @Test("a rotated login has the secret that was shown, and one rotation behind it")
    func rotate() async throws {
      try await killed(at: "device-gateway.loginsStored") { bed in
        let made = try await bed.connector.administer("logins", "rotate", "device", "--overlap", "1h", "--json")
        try #require(made.succeeded, "\(made.complaints)")
        let secret = try JSONDecoder().decode(Made.self, from: Data(made.output.utf8)).secret
        let login = try await bed.connector.login("device")
        try #require(login?.secrets.count == 2)
        try await #require(bed.opensDoor(secret))
      }
    }

    @Test("a removed login is gone")
    func remove() async throws {
      try await killed(at: "device-gateway.loginsStored") { bed in
        // The death is for the removal, not for what is removed.
        let removed = try await bed.connector.administer("logins", "remove", "spare")
        try #require(removed.succeeded, "\(removed.complaints)")
        try await #require(bed.connector.login("spare") == nil)
      } before: { bed in
        _ = try await bed.connector.logins.call(Logins.Add.self, .init(name: "spare", scope: .device, kind: .device, nameSuffixes: [], secret: "s"))
      }
    }

    @Test("a name is given to the device that waited for it, once")
    func approve() async throws {
      try await killed(at: "scheduler.nameApproved") { bed in
        let names = Testbed.names(1)
        try await #require(bed.device("first").enroll(names, options: ["--hardware-id", "first"]).succeeded)
        try await withThrowingTaskGroup(of: Command.Outcome.self) { tasks in
          tasks.addTask { try await bed.device("second").enroll(names, options: ["--hardware-id", "second"]) }
          try await bed.connector.claim(on: names[0])
          let approved = try await bed.connector.administer("names", "approve", names[0])
          try #require(approved.succeeded, "\(approved.complaints)")
          let second = try await #require(tasks.next())
          try #require(second.succeeded, "\(second.complaints)")
        }
        try await #require(bed.connector.events().count { $0.code == "nameApproved" } == 1)
      }
    }

    @Test("an account has the new key that is shown, and goes on", arguments: RehearsedSteps.ofKeyChanges)
    func keyChange(step: String) async throws {
      try await killed(at: step) { bed in
        let before = try await bed.account("show")
        let after = try await bed.account("rollover")
        try #require(after.url == before.url && after.thumbprint != before.thumbprint)
        try await #require(bed.account("show") == after)
        let keys = bed.connector.state.appending(path: "state/acme-client/account-keys")
        try #require(FileManager.default.contentsOfDirectory(atPath: keys.path).filter { !$0.hasPrefix(".") }.count == 1)
        try await #require(bed.device().enroll(Testbed.names(1)).succeeded)
      }
    }

    @Test("an account that is ended is so at the CA and here, and nothing is ordered", arguments: RehearsedSteps.ofDeactivation)
    func deactivation(step: String) async throws {
      try await killed(at: step) { bed in
        let before = try await bed.account("show")
        let after = try await bed.account("deactivate", "--yes")
        try #require(after.url == before.url && after.status == "deactivated")
        try await #require(bed.account("show") == after)
        let csr = try SigningKey(.p256).signingRequest(for: Testbed.names(1).compactMap { DNSName($0) })
        let request = AdminMethods.Request.Parameters(device: "host", csr: csr.pem, force: false)
        let refused = try await bed.connector.admin.stream(AdminMethods.Request.self, request) { _ in }
        try #require(refused.state == .failed && refused.text?.contains("deactivated") == true, "\(refused)")
      }
    }

    @Test("a certificate that the CA has revoked is revoked here, too")
    func revoke() async throws {
      try await killed(at: "scheduler.certificateRevoked") { bed in
        let device = bed.device()
        try await #require(device.enroll(Testbed.names(1)).succeeded)
        let fingerprint = try #require(try await bed.connector.certificates().first?.fingerprint)
        let revoked = try await bed.connector.administer("revoke", "--fingerprint", "\(fingerprint)")
        try #require(revoked.succeeded, "\(revoked.complaints)")
        let states = try await bed.connector.certificates().map(\.state)
        try #require(states == [.revoked])
        try await #require(bed.connector.events().count { $0.code == "certificateRevoked" } == 1)
      }
    }

    private struct Made: Decodable {
      var secret: String
    }

    /// Runs `body` beside a connector whose service dies at the step once; what `before` does is not to be died of.
    private func killed(
      at step: String, _ body: @Sendable (Testbed) async throws -> Void, before: (@Sendable (Testbed) async throws -> Void)? = nil
    ) async throws {
      let markers = FileManager.default.temporaryDirectory.appending(path: "deaths-\(UInt32.random(in: 0 ... .max))")
      let marker = markers.appending(path: step)
      try FileManager.default.createDirectory(at: markers, withIntermediateDirectories: true)
      let asked = ["ACME_CONNECTOR_DIE_AT": step, "ACME_CONNECTOR_DIE_MARKERS": markers.path]
      try await Testbed.with(environment: asked) { bed in
        if let before {
          try Data().write(to: marker)
          try await before(bed)
          try FileManager.default.removeItem(at: marker)
        }
        try await body(bed)
        try #require(FileManager.default.fileExists(atPath: marker.path), "the step was not reached")
      }
      try FileManager.default.removeItem(at: markers)
    }
  }
}

extension Connector {
  /// A login by its name.
  fileprivate func login(_ name: String) async throws -> Logins.Login? {
    try await logins.call(Logins.List.self, .init(name: name)).logins.first
  }
}

extension Testbed {
  /// What `acme-connector account` shows.
  fileprivate func account(_ arguments: String...) async throws -> AccountView {
    let shown = try await connector.administer(["account"] + arguments + ["--json"])
    try #require(shown.succeeded, "\(shown.complaints)")
    return try JSONDecoder().decode(AccountView.self, from: Data(shown.output.utf8))
  }

  /// Whether a device gets its certificate with this secret.
  fileprivate func opensDoor(_ secret: String) async throws -> Bool {
    try Data(secret.utf8).write(to: URL(filePath: connector.credential("shown")))
    return try await device().enroll(Self.names(1), credential: "shown").succeeded
  }
}

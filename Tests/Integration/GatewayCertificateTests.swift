import DeviceGatewayAPI
import FoundationEssentials
import Glibc
import PKI
import Programs
import Testing

extension Integration {
  @Suite("The gateway gets a certificate of the CA through the connector itself") struct GatewayCertificateTests {
    private static let name = "gateway.integration.example"

    @Test("while devices stay connected; the key that they pin stays too, and after a restart it has it still")
    func obtained() async throws {
      try await Testbed.with { bed in
        let before = try await bed.connector.gateway()
        let log = bed.folder.appending(path: "stay.log")
        let device = Command(Project.foreignPython, [Project.foreign("stay.py"), bed.connector.url, bed.connector.credential("device")])
        let fingerprint = try await device.whileRunning(log: log) { _ in
          try await bed.connector.nameGateway(Self.name)
          let after = try await bed.connector.gatewayCertificate()
          try #require(after.pin == before.pin)
          try await expectServed(by: bed, pin: before.pin)
          try await expectAnchor(of: bed)
          let answers = try answers(log)
          try await bed.connector.eventually("the device is not answered any more") { try self.answers(log) > answers + 3 }
          try #require(try !String(contentsOf: log, encoding: .utf8).contains("closed"))
          return after.fingerprint
        }
        let process = try #require(bed.connector.process(of: "device-gateway"))
        kill(process, SIGKILL)
        try await expectServed(by: bed, pin: before.pin)
        let restarted = try await bed.connector.gatewayCertificate()
        try #require(restarted.fingerprint == fingerprint)
        try #require(bed.pebble.record() == .init(orders: 1, certificates: 1))
      }
    }

    @Test("and is renewed like any device")
    func renewed() async throws {
      try await Testbed.with { bed in
        try await bed.connector.nameGateway(Self.name)
        let first = try await bed.connector.gatewayCertificate()
        try await #require(bed.connector.administer("renew", "--force", "--name", Self.name).succeeded)
        let second = try await bed.connector.gatewayCertificate(after: first.fingerprint)
        try #require(second.pin == first.pin)
        try await expectServed(by: bed, pin: first.pin)
        try #require(bed.pebble.record() == .init(orders: 2, certificates: 2))
      }
    }

    @Test("even if it is killed at a step, from one order", arguments: RehearsedSteps.ofGateway)
    func killed(at step: String) async throws {
      try await Testbed.withFolder { markers in
        let asked = ["ACME_CONNECTOR_DIE_AT": step, "ACME_CONNECTOR_DIE_MARKERS": markers.path]
        try await Testbed.with(environment: asked) { bed in
          let before = try await bed.connector.gateway()
          try await bed.connector.nameGateway(Self.name)
          try await bed.connector.eventually("the step was not reached") {
            FileManager.default.fileExists(atPath: markers.appending(path: step).path)
          }
          _ = try await bed.connector.gatewayCertificate()
          try await expectServed(by: bed, pin: before.pin)
          try await #require(bed.connector.certificates().count == 1)
          try #require(bed.pebble.record() == .init(orders: 1, certificates: 1))
        }
      }
    }

    /// A TLS client that trusts the CA alone gets in, and sees the key that is pinned.
    private func expectServed(by bed: Testbed, pin: SubjectPublicKeyPin) async throws {
      let authority = try #require(bed.connector.url.split(separator: "/").dropFirst().first)
      let connect = ["s_client", "-connect", String(authority), "-servername", Self.name, "-verify_hostname", Self.name]
      let verified = try await Command("openssl", connect + ["-CAfile", bed.pebble.root, "-verify_return_error", "-brief"]).run()
      try #require(verified.succeeded, "\(verified.complaints)")
      let shown = try await Command("openssl", connect).run()
      let hash = #"openssl x509 -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -r"#
      let seen = try await Command("sh", ["-c", #"printf '%s' "$0" | "# + hash, shown.output]).run()
      try #require(seen.output.hasPrefix(pin.hex), "\(seen.output) \(seen.complaints)")
    }

    /// Who knows nothing but `connector.pem` can verify by it.
    private func expectAnchor(of bed: Testbed) async throws {
      let anchor = bed.folder.appending(path: "connector.pem").path
      let url = bed.connector.url.replacing("wss://", with: "https://") + "/connector.pem"
      try await #require(Command("curl", ["--silent", "--fail", "--insecure", "--output", anchor, url]).run().succeeded)
      let authority = try #require(bed.connector.url.split(separator: "/").dropFirst().first)
      let connect = ["s_client", "-connect", String(authority), "-verify_hostname", Self.name, "-CAfile", anchor, "-partial_chain"]
      let verified = try await Command("openssl", connect + ["-verify_return_error", "-brief"]).run()
      try #require(verified.succeeded, "\(verified.complaints)")
    }

    private func answers(_ log: URL) throws -> Int { try String(contentsOf: log, encoding: .utf8).split(separator: "\n").count { $0 == "answered" } }
  }
}

extension Connector {
  /// Sets the gateway's public name, as an administrator does.
  fileprivate func nameGateway(_ name: String) async throws {
    let set = try await administer("settings", "set", "gateway.names", name)
    guard set.succeeded else { throw Failure("gateway.names cannot be set: \(set.complaints)") }
    // Somebody has to wake it.
    _ = try await gateway()
  }
}

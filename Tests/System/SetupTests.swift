import FoundationEssentials
import Programs
import Testing

extension SystemTests {
  @Suite("Set up from nothing") struct SetupTests {
    @Test(
      "acme-connector setup makes the logins and names the CA; its line, pasted as it is, gets a host its certificate, and the gateway gets its own")
    func fromNothing() async throws {
      try await Bed.with { bed in
        let (gateway, host) = ("gw.system.example", "pbx.system.example")
        try await bed.run("sh", "-c", "echo 127.0.0.1 \(host) \(gateway) >> /etc/hosts && hostname \(host)")
        try await bed.withPebble { pebble in
          let options = ["--ca", pebble.directory, "--ca-roots", pebble.trust, "--agree-to-terms", "--no-contact", "--gateway-name", gateway]
          let setup = try await bed.outcome("acme-connector", ["setup"] + options)
          #expect(setup.succeeded, "\(setup.complaints)")
          let lines = setup.output.split(separator: "\n")
          let secret = try #require(lines.first { $0.hasPrefix("  Password  ") }?.split(separator: " ").last)
          #expect(secret.count == 15 && secret.allSatisfy { $0.isLetter || $0.isNumber })

          let line = try #require(lines.first { $0.hasPrefix("acme-device ") })
          let pasted = try await bed.outcome(Project.typist, ["Password", String(secret), "--", "bash", "-c", String(line)], limit: .seconds(100))
          #expect(pasted.succeeded, "\(pasted.output) \(pasted.complaints)")
          try await bed.expectCertificate(for: [host], in: "/var/lib/acme-device/default", under: pebble.root)

          let served = ["-connect", "\(gateway):8443", "-verify_hostname", gateway, "-CAfile", pebble.root, "-verify_return_error", "-brief"]
          try await bed.eventually("the gateway serves no certificate of the CA", within: .seconds(30)) {
            try await bed.outcome("openssl", ["s_client"] + served).succeeded
          }
          for unit in Unit.allCases { #expect(try await bed.restarts(of: unit) == 0, "\(unit)") }

          let again = try await bed.run("acme-connector", "setup", "--json")
          #expect(again.contains(#""changed":[]"#) && !again.contains("secret"))
        }
      }
    }
  }
}

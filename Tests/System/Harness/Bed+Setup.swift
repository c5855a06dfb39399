import Programs
import Testing

extension Bed {
  /// The names of the gateway and of a host beside it.
  static let (gatewayName, hostName) = ("gw.system.example", "pbx.system.example")

  /// Does as an administrator does: `acme-connector setup` for this CA, and the line that it prints pasted as it is on a Linux host, this one.
  func setUpFromNothing(at pebble: InnerPebble) async throws {
    let (gateway, host) = (Self.gatewayName, Self.hostName)
    try await run("sh", "-c", "echo 127.0.0.1 \(host) \(gateway) >> /etc/hosts && hostname \(host)")
    let options = ["--ca", pebble.directory, "--ca-roots", pebble.trust, "--agree-to-terms", "--no-contact", "--gateway-name", gateway]
    let setup = try await outcome("acme-connector", ["setup"] + options)
    #expect(setup.succeeded, "\(setup.complaints)")
    let lines = setup.output.split(separator: "\n")
    let secret = try #require(lines.first { $0.hasPrefix("  Password  ") }?.split(separator: " ").last)
    #expect(secret.count == 15 && secret.allSatisfy { $0.isLetter || $0.isNumber })

    let line = try #require(lines.first { $0.hasPrefix("acme-device ") })
    let pasted = try await outcome(Project.typist, ["Password", String(secret), "--", "bash", "-c", String(line)], limit: .seconds(100))
    #expect(pasted.succeeded, "\(pasted.output) \(pasted.complaints)")
    try await expectCertificate(for: [host], in: "/var/lib/acme-device/default", under: pebble.root)

    let served = ["-connect", "\(gateway):8443", "-verify_hostname", gateway, "-CAfile", pebble.root, "-verify_return_error", "-brief"]
    try await eventually("the gateway serves no certificate of the CA", within: .seconds(30)) {
      try await outcome("openssl", ["s_client"] + served).succeeded
    }
    for unit in Unit.allCases { #expect(try await restarts(of: unit) == 0, "\(unit)") }
  }
}

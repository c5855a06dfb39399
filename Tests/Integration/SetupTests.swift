import FoundationEssentials
import Programs
import Testing

extension Integration {
  @Suite("acme-connector setup, against a CA that answers") struct SetupTests {
    @Test("a person at a terminal answers its questions, pastes its line on a host, types the password, and the certificate is there")
    func pasted() async throws {
      try await withoutAuthority { pebble, connector, folder in
        let dialogue = [
          "Certificate authority", pebble.directory, "roots", pebble.trust, "do you agree?", "yes", "E-mail", "", "host names",
          "gw.integration.example",
          "Set it up so?", "",
        ]
        let setup = [Project.executable("acme-connector"), "setup", "--runtime", connector.state.appending(path: "run").path]
        let asked = try await Command(Project.typist, dialogue + ["--"] + setup).run(limit: .seconds(100))
        try #require(asked.succeeded, "\(asked.output) \(asked.complaints)")
        try #require(asked.output.contains("terms of service of this CA: data:text/plain,"))

        let printed = try #require(asked.output.split(separator: "\n").first { $0.hasPrefix("acme-device ") })
        // Here the gateway's name leads nowhere, and this host shall keep its /etc and /var as they are, and has a name of its own.
        let address = try #require(connector.url.split(separator: "/").dropFirst().first)
        let line = printed.replacing(/wss:\/\/[^\/]+/, with: "wss://\(address)").replacing("/etc/", with: "\(folder.path)/").replacing(
          "/var/lib/", with: "\(folder.path)/")
        let host = Testbed.names(1)[0]
        let shell = ["bash", "-c", "PATH=\(Project.executable("")):$PATH; hostname() { echo \(host); }; \(line) --hardware-id host"]
        let password = try String(contentsOf: URL(filePath: connector.credential("device")), encoding: .utf8)

        let mistyped = try await Command(Project.typist, ["Password", "wrong", "--"] + shell).run(limit: .seconds(100))
        try #require(!mistyped.succeeded && mistyped.output.contains("refused the login"), "\(mistyped.output)")
        let typed = try await Command(Project.typist, ["Password", password, "--"] + shell).run(limit: .seconds(100))
        try #require(typed.succeeded, "\(typed.output) \(typed.complaints)")
        try #require(!typed.output.contains(password), "what is typed is not shown")
        let device = Device(folder: folder.appending(path: "acme-device/default"), connector: connector)
        try await #require(device.holdsCertificate(for: [host], under: pebble.root))
        // Whoever comes again, as a renewal does, is not asked.
        try await #require(Command("bash", Array(shell.dropFirst())).run().succeeded)
      }
    }

    @Test("done again, by nobody, it changes nothing; and a CA that does not answer is not set")
    func again() async throws {
      try await withoutAuthority { pebble, connector, _ in
        let unreachable = try await connector.administer("setup", "--ca", "https://localhost:1/dir", "--agree-to-terms")
        try #require(!unreachable.succeeded && unreachable.complaints.contains("cannot be reached"), "\(unreachable.complaints)")
        let unknown = try await connector.administer("settings", "--json")
        try #require(!unknown.output.contains("localhost:1"))
        let options = ["--ca", pebble.directory, "--ca-roots", pebble.trust, "--agree-to-terms", "--json"]
        let changes = try await [connector.setUp(options), connector.setUp(options), connector.setUp(["--json"])].map(\.changed)
        try #require(changes == [["authority.trustRoots", "authority.directory", "authority.termsAgreed"], [], []])
        let outcome = try await Device(folder: connector.state.appending(path: "device"), connector: connector).enroll(Testbed.names(1))
        try #require(outcome.succeeded, "\(outcome.complaints)")
      }
    }

    @Test("a CA that binds accounts to external ones: it says where the credential goes")
    func externalAccount() async throws {
      try await withoutAuthority(.init(externalAccount: true)) { pebble, connector, _ in
        let setup = try await connector.administer("setup", "--ca", pebble.directory, "--ca-roots", pebble.trust, "--agree-to-terms")
        try #require(setup.succeeded && setup.complaints.contains("/etc/credstore/acme-connector.external-account"), "\(setup.complaints)")
      }
    }

    /// A CA, and a connector that does not know it.
    private func withoutAuthority(
      _ manners: Pebble.Manners = .init(), _ body: @escaping @Sendable (Pebble, Connector, _ folder: URL) async throws -> Void
    ) async throws {
      try await Testbed.withFolder { folder in
        let port = try Testbed.freePort()
        try await Pebble.run(in: folder.appending(path: "pebble"), challengePort: port, manners: manners) { pebble in
          try await Connector.run(in: folder.appending(path: "state"), authority: nil, challenges: port) { connector in
            try await body(pebble, connector, folder.appending(path: "host"))
          }
        }
      }
    }
  }
}

extension Connector {
  fileprivate struct Setup: Decodable { var changed: [String] }

  fileprivate func setUp(_ options: [String]) async throws -> Setup {
    let command = Command(Project.executable("acme-connector"), ["setup", "--runtime", state.appending(path: "run").path] + options)
    let outcome = try await command.run()
    guard outcome.succeeded else { throw Failure("setup: \(outcome.complaints)") }
    return try JSONDecoder().decode(Setup.self, from: Data(outcome.output.utf8))
  }
}

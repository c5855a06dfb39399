import ACMEClientAPI
import DeviceGatewayAPI
import FoundationEssentials
import PKI
import Programs
import SchedulerAPI
import Testing
import Varlink

extension Integration {
  @Suite("What is secret is not in the log") struct SecrecyTests {
    @Test("a certificate is had with everything traced at the lowest log level, and no secret, digest, key authorization or private key is written")
    func everythingOn() async throws {
      let account = ["external-account": Pebble.externalAccount]
      try await Testbed.with(.init(externalAccount: true), environment: ["ACME_CONNECTOR_LOG": "trace"], credentials: account) { bed in
        let connector = bed.connector
        try await #require(connector.administer("trace", "on").succeeded)
        let another = try await connector.administer("logins", "add", "another", "--json")
        let shown = try JSONDecoder().decode(Shown.self, from: Data(another.output.utf8)).secret
        let device = bed.device()
        let enrolled = try await device.enrollPinned(Testbed.names(2))
        try #require(enrolled.succeeded, "\(enrolled.complaints)")
        let fleet = try await Fleet.run(["--devices", "2", "--names", "1"], at: connector)
        try #require(fleet.ready == 2, "\(fleet.failures)")

        let log = try connector.log()
        for category in ["App", "HttpClient", "AppWebsocket", "Challenge"] { #expect(log.contains("category=\(category)"), "\(category)") }
        let authority = Authority(directory: bed.pebble.directory, termsAgreed: true, trustRoots: bed.pebble.trust)
        let client = VarlinkClient(path: connector.socket("acme-client.sock"))
        // The second half of every key authorization.
        var secrets = [try await client.call(ACMEClient.GetAccount.self, .init(authority: authority)).thumbprint, shown]
        secrets += try ["device", "admin"].map { try String(contentsOf: URL(filePath: connector.credential($0)), encoding: .utf8) }
        secrets += Pebble.externalAccount.split(separator: "\"").map(String.init).filter { $0.count > 40 }
        secrets += try privateKeys(in: [device.folder, connector.state])
        #expect(secrets.count > 8)
        for secret in secrets { #expect(!log.contains(secret), "a secret of \(secret.count) characters is in the log of \(bed.folder.path)") }
        #expect(!log.contains("PRIVATE KEY") && !log.contains("BEGIN CERTIFICATE"))
        try await expectNoDigests(in: log, of: connector)
      }
    }

    /// What `acme-connector logins add --json` prints.
    private struct Shown: Decodable {
      var secret: String
    }

    /// SHA-256 values are no secret if they are of certificates or the gateway's key; a login's digest would be another one.
    private func expectNoDigests(in log: String, of connector: Connector) async throws {
      let pin = try await connector.logins.call(Logins.Describe.self, .init()).pin.hex
      let known = Set(try await connector.certificates().compactMap { $0.fingerprint?.hex } + [pin])
      let found = Set(log.matches(of: /\b[0-9a-fA-F]{64}\b/).map { String($0.0) })
      #expect(found.subtracting(known).isEmpty)
    }

    /// The lines of all private keys that are kept.
    private func privateKeys(in folders: [URL]) throws -> [String] {
      var lines: [String] = []
      for folder in folders {
        for file in try FileManager.default.subpathsOfDirectory(atPath: folder.path) where file.hasSuffix(".pem") {
          let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
          guard text.contains("PRIVATE KEY") else { continue }
          lines += text.split(separator: "\n").filter { !$0.hasPrefix("-") && $0.count > 16 }.map(String.init)
        }
      }
      return lines
    }
  }
}

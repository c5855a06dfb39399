import FoundationEssentials
import Programs
import Testing

extension Bed {
  /// Runs Pebble inside, has the connector use it, and hands the root it issues under to `body`.
  func withAuthority(_ body: @Sendable (_ root: String) async throws -> Void) async throws {
    try await withPebble { pebble in
      try await use(pebble)
      try await body(pebble.root)
    }
  }

  /// Has the connector use it.
  func use(_ pebble: InnerPebble) async throws {
    for (key, value) in [("directory", pebble.directory), ("trustRoots", pebble.trust), ("termsAgreed", "true")] {
      try await run("acme-connector", "settings", "set", "authority.\(key)", value)
    }
  }

  /// A request and what became of it.
  struct Certificate: Decodable, Sendable {
    var state: String
    var names: [String]
    /// How many newOrder requests it has cost.
    var newOrders: Int
    var error: String?
  }

  /// All requests, as the connector lists them.
  func certificates() async throws -> [Certificate] {
    struct List: Decodable { var certificates: [Certificate] }
    return try JSONDecoder().decode(List.self, from: Data(try await run("acme-connector", "certificates", "--json").utf8)).certificates
  }

  /// The pin of the gateway's key.
  func gatewayPin() async throws -> String {
    struct Gateway: Decodable { var pin: String }
    let described = try await run("acme-connector", "logins", "describe", "--json")
    return try JSONDecoder().decode(Gateway.self, from: Data(described.utf8)).pin
  }

  /// `acme-device`, knowing the pin of the gateway's key and the first secret.
  /// - Parameters:
  ///   - folder: Where its files are.
  ///   - secret: The file with the secret.
  func enroll(
    _ names: [String], in folder: String = "/root/device", secret: String = Bed.deviceSecret, options: [String] = []
  ) async throws {
    let place = ["--connector", "wss://127.0.0.1:8443/connector", "--pin", try await gatewayPin(), "--directory", folder] + options
    let who = ["--password-file", secret, "--timeout", "60"]
    let outcome = try await outcome("acme-device", ["enroll"] + place + who + ["--name"] + names, limit: .seconds(70))
    guard outcome.succeeded else { throw Failure("acme-device: \(outcome.complaints)") }
  }

  /// Whether openssl finds a certificate for these names in a device's folder, and its chain complete.
  func expectCertificate(for names: [String], in folder: String, under root: String) async throws {
    for name in names {
      let chain = ["-CAfile", root, "-untrusted", "\(folder)/chain.pem", "\(folder)/certificate.pem"]
      let verified = try await outcome("openssl", ["verify", "-verify_hostname", name] + chain)
      #expect(verified.succeeded, "\(verified.complaints)")
    }
  }
}

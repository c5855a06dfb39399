import DeviceGatewayAPI
import FoundationEssentials
import PKI
import Programs

/// A Linux host with `acme-device`.
struct Device: Sendable {
  /// Where its key and certificate are.
  let folder: URL
  let connector: Connector
  /// Where it connects.
  var url: String
  /// Where it runs; the machine's own network if nil.
  var network: Network?
  /// What it says of itself each time.
  var options: [String] = []

  init(folder: URL, connector: Connector) {
    self.folder = folder
    self.connector = connector
    self.url = connector.plain
  }

  /// Asks for a certificate, and waits until it is installed or `limit` is over.
  @discardableResult
  func enroll(
    _ names: [String], credential: String = "device", options: [String] = [], limit: Duration = .seconds(90)
  ) async throws -> Command.Outcome {
    try await enrolment(of: names, credential: credential, options: ["--timeout", "\(limit.components.seconds)"] + options)
      .run(limit: limit + .seconds(10))
  }

  /// Has a certificate and stays connected beside `body`.
  func staying<Result: Sendable>(_ names: [String], options: [String], _ body: @Sendable () async throws -> Result) async throws -> Result {
    let command = enrolment(of: names, options: options + ["--daemon"])
    return try await command.running(when: "test -s \(file("fullchain.pem"))", log: folder.appendingPathExtension("log")) { try await body() }
  }

  private func enrolment(of names: [String], credential: String = "device", options: [String]) -> Command {
    let arguments = ["enroll", "--connector", url, "--password-file", connector.credential(credential), "--directory", folder.path, "--name"]
    let command = Command(Project.executable("acme-device"), arguments + names + self.options + options)
    return network?.inside(command) ?? command
  }

  /// The same over TLS: it knows the gateway by the pin of its key.
  func enrollPinned(_ names: [String]) async throws -> Command.Outcome {
    let gateway = try await connector.gateway()
    var pinned = self
    pinned.url = connector.url
    return try await pinned.enroll(names, options: ["--pin", gateway.pin.hex])
  }

  /// Whether openssl, which knows nothing of us, accepts the chain up to this root for every name, with the key that is there.
  func holdsCertificate(for names: [String], under root: String) async throws -> Bool {
    for name in names {
      let verified = try await openssl("verify", "-CAfile", root, "-untrusted", file("chain.pem"), "-verify_hostname", name, file("certificate.pem"))
      guard verified.succeeded else { return false }
    }
    let certified = try await openssl("x509", "-in", file("certificate.pem"), "-noout", "-pubkey")
    let own = try await openssl("pkey", "-in", file("key.pem"), "-pubout")
    return certified.succeeded && certified.output == own.output
  }

  /// The certificate's serial number, as openssl words it.
  func serial() async throws -> String { try await openssl("x509", "-in", file("certificate.pem"), "-noout", "-serial").output }

  /// The certificate in use, in PEM.
  func certificate() throws -> String { try String(contentsOfFile: file("certificate.pem"), encoding: .utf8) }

  /// The path of one of its files.
  func file(_ name: String) -> String { folder.appending(path: name).path }

  private func openssl(_ arguments: String...) async throws -> Command.Outcome { try await Command("openssl", arguments).run() }
}

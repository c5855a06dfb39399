import DeviceGatewayAPI
import FoundationEssentials
import PKI
import Programs
import SchedulerAPI
import Varlink

/// The four services under `deploy/run-local`, as somebody outside sees them.
struct Connector: Sendable {
  /// Where devices connect: wss.
  let url: String
  /// The same without TLS: for this machine, and for proxies that are trusted.
  let plain: String
  /// Its state directory.
  let state: URL

  /// Runs it beside `body`.
  /// - Parameters:
  ///   - challenges: the port that answers challenges.
  ///   - addresses: where it listens; devices come to the first one.
  ///   - credentials: what systemd would hand over, besides the first secrets.
  ///   - longestPause: how many seconds the supervisor waits at most before it starts a service again; nil for its own.
  ///   - network: where it runs; the machine's own if nil.
  static func run<Result: Sendable>(
    in state: URL, authority: (directory: String, trust: String)?, challenges: Int, at addresses: [String] = ["127.0.0.1"],
    environment: [String: String] = [:], credentials: [String: String] = [:], longestPause: Double? = nil, network: Network? = nil,
    _ body: @Sendable (Connector) async throws -> Result
  ) async throws -> Result {
    var arguments = ["--state", state.path, "--bin", Project.executable(""), "--gateway", "\(addresses[0]):0", "--ws", "\(addresses[0]):0"]
    arguments += addresses.flatMap { ["--http", "\($0):\(challenges)"] }
    if let authority { arguments += ["--ca", authority.directory, "--ca-roots", authority.trust] }
    if let longestPause { arguments += ["--longest-pause", "\(longestPause)"] }
    let command = Command(Project.runLocal, arguments, environment: environment)
    let secrets = state.appending(path: "credentials")
    try FileManager.default.createDirectory(at: secrets, withIntermediateDirectories: true)
    for (name, text) in credentials { try Data(text.utf8).write(to: secrets.appending(path: name)) }
    return try await (network?.inside(command) ?? command).whileRunning(log: state.appending(path: "run-local.log")) { facts in
      try await body(Connector(url: facts["ready"] ?? "", plain: facts["loopback"] ?? "", state: state))
    }
  }

  /// What the services and their supervisor said.
  func log() throws -> String { try String(contentsOf: state.appending(path: "run-local.log"), encoding: .utf8) }

  /// The path of a Varlink socket.
  func socket(_ name: String) -> String { state.appending(path: "run/\(name)").path }

  /// The first secret of devices or of administrators.
  func credential(_ name: String) -> String { state.appending(path: "credentials/\(name)").path }

  /// The administrator's interface, called directly.
  var admin: VarlinkClient { VarlinkClient(path: socket("admin.sock")) }

  /// The gateway's logins, called directly.
  var logins: VarlinkClient { VarlinkClient(path: socket("logins.sock")) }

  /// How the gateway is reached, and how it stands with its own certificate.
  func gateway() async throws -> Logins.Describe.Reply { try await logins.call(Logins.Describe.self, .init()) }

  /// Waits until the gateway has a certificate of the CA, another one than `old`.
  func gatewayCertificate(after old: Fingerprint? = nil) async throws -> Logins.Describe.Reply {
    try await eventually("the gateway has no new certificate of the CA") {
      let gateway = try await gateway()
      return gateway.issuer != nil && gateway.fingerprint != old && gateway.state == "installed"
    }
    return try await gateway()
  }

  /// The process of a service; nil while it is down.
  func process(of service: String) -> Int32? {
    let text = try? String(contentsOf: state.appending(path: "run/\(service).pid"), encoding: .utf8)
    return text.flatMap { $0.split(separator: "\n").first }.flatMap { Int32($0) }
  }

  /// `acme-connector` with these arguments.
  func administer(_ arguments: String...) async throws -> Command.Outcome { try await administer(arguments) }

  /// The same.
  func administer(_ arguments: [String]) async throws -> Command.Outcome {
    try await Command(Project.executable("acme-connector"), arguments + ["--runtime", state.appending(path: "run").path]).run()
  }

  /// The requests that the scheduler knows.
  func certificates() async throws -> [CertificateView] {
    try await admin.list(AdminMethods.ListCertificates.self, .init(all: true)).certificates
  }

  /// The events so far.
  func events() async throws -> [EventView] {
    try await admin.list(AdminMethods.ListEvents.self, .init(after: 0)).events
  }

  /// The alarms that stand.
  func alarms() async throws -> [AlarmView] { try await admin.list(AdminMethods.ListAlarms.self, .init()).alarms }

  /// Waits until a device asks for a name that another one holds.
  func claim(on name: String) async throws {
    try await eventually("nobody asked for \(name)") {
      let names = try await admin.call(AdminMethods.ListNames.self, .init(name: DNSName(name))).names
      return names.contains { !$0.claims.isEmpty }
    }
  }

  /// Waits until the first request has come to a state.
  func firstRequest(in state: RequestState) async throws {
    try await eventually("no request is \(state.rawValue)") { try await certificates().first?.state == state }
  }

  /// Looks again and again, for an administrator is not told of changes.
  func eventually(_ complaint: String, _ holds: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while try await !holds() {
      guard ContinuousClock.now < deadline else { throw Failure("\(complaint); see \(state.path)") }
      try await Task.sleep(for: .milliseconds(50))
    }
  }
}

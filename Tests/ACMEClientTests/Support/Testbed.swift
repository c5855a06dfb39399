import ACMEClientAPI
import FoundationEssentials
import PKI
import ServiceRuntime

@testable import ACMEClient

/// The parts of acme-client in this process, with a real CA and a responder.
struct Testbed: Sendable {
  let pebble: PebbleServer
  let answers: ChallengeAnswers
  let folder: URL

  static func with(_ manners: PebbleServer.Manners = .init(), _ body: @escaping @Sendable (Testbed) async throws -> Void) async throws {
    try await withFolder { folder in
      try await PebbleServer.run(in: folder.appending(component: "pebble"), manners) { pebble in
        let responders = folder.appending(path: "run/responders")
        try FileManager.default.createDirectory(at: responders, withIntermediateDirectories: true)
        let answers = ChallengeAnswers()
        try await beside { ready in
          try await answers.run(socket: responders.appending(component: "test.sock").path, port: pebble.challengePort, ready: ready)
        } _: {
          try await body(Testbed(pebble: pebble, answers: answers, folder: folder))
        }
      }
    }
  }

  /// Starts acme-client, as a process would, over what is in the state directory.
  func withService(
    variables: [String: String] = [:], _ body: @escaping @Sendable (ACMEClientInterface) async throws -> Void
  ) async throws {
    let paths = ["STATE_DIRECTORY": folder.appending(component: "state").path, "ACME_CONNECTOR_RUNTIME": folder.appending(component: "run").path]
    let environment = ServiceEnvironment(name: "acme-client", variables: paths.merging(variables) { $1 })
    let transports = Transports(proxies: ProxyEnvironment([:]))
    let service = try await ACMEClientService(environment, transports: transports)
    try await Self.beside { ready in
      ready()
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await transports.run() }
        tasks.addTask { await service.openOrders.run() }
        try await tasks.waitForAll()
      }
    } _: {
      try await body(service.interface)
    }
  }

  var authority: Authority { Authority(directory: pebble.directory, contact: ["admin@a.example"], termsAgreed: true, trustRoots: pebble.trust) }

  /// A call for the certificate to a CSR.
  func call(_ csr: SigningRequest, for request: String = "request", authority: Authority? = nil) -> ACMEClient.Issue.Parameters {
    ACMEClient.Issue.Parameters(request: request, authority: authority ?? self.authority, csr: csr.pem, device: nil)
  }

  /// A CSR for so many names with a new key.
  static func csr(_ count: Int) throws -> SigningRequest {
    try SigningKey(.p256).signingRequest(for: (0..<count).map { CA.name("n\($0).acme.example") })
  }

  /// Runs `service` until `body` is done; `body` begins when the service says that it is ready.
  private static func beside(
    _ service: @escaping @Sendable (_ ready: @escaping @Sendable () -> Void) async throws -> Void,
    _ body: @escaping @Sendable () async throws -> Void
  ) async throws {
    let (isReady, ready) = AsyncStream.makeStream(of: Void.self)
    try await withThrowingTaskGroup(of: Bool.self) { tasks in
      tasks.addTask {
        defer { ready.finish() }
        do { try await service { ready.yield() } } catch is CancellationError {}
        return false
      }
      tasks.addTask {
        for await _ in isReady { break }
        try await body()
        return true
      }
      while try await tasks.next() == false {}
      tasks.cancelAll()
    }
  }
}

extension ACMEClientInterface {
  /// Calls Issue and returns its last reply.
  func issue(_ call: ACMEClient.Issue.Parameters, report: @escaping Issuance.Report = { _ in }) async throws -> ACMEClient.Issue.Reply {
    try await issuance.issue(call, report: report)
  }
}

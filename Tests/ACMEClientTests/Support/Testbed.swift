import ACMEClientAPI
import FoundationEssentials
import ModelAuthority
import PKI
import ServiceRuntime
import Testing

@testable import ACMEClient

/// The parts of acme-client in this process, with a CA and a responder.
struct Testbed: Sendable {
  /// The CA's directory, and the PEM file to trust for it.
  let directory: String
  let trust: String
  let answers: ChallengeAnswers
  let folder: URL

  /// With Debian's Pebble.
  static func with(_ manners: PebbleServer.Manners = .init(), _ body: @escaping @Sendable (Testbed) async throws -> Void) async throws {
    try await withFolder { folder in
      try await PebbleServer.run(in: folder.appending(component: "pebble"), manners) { pebble in
        try await withAnswers(in: folder, port: pebble.challengePort) { answers in
          try await body(Testbed(directory: pebble.directory, trust: pebble.trust, answers: answers, folder: folder))
        }
      }
    }
  }

  /// With the model CA, which looks for challenges where the responder answers. What a client may not do fails the test.
  static func withModel(
    _ manners: Manners = Manners(), _ body: @escaping @Sendable (Testbed, ModelAuthority) async throws -> Void
  ) async throws {
    try await withFolder { folder in
      try await withAnswers(in: folder, port: 0) { answers in
        var manners = manners
        manners.perspectives.insert(Perspective(port: answers.port), at: 0)
        try await ModelAuthority.run(manners, in: folder) { model in
          try await body(Testbed(directory: model.directory, trust: model.trust, answers: answers, folder: folder), model)
          #expect(model.report.deviations == [])
          #expect(model.unusedFaults == 0)
        }
      }
    }
  }

  private static func withAnswers(
    in folder: URL, port: Int, _ body: @escaping @Sendable (ChallengeAnswers) async throws -> Void
  ) async throws {
    let responders = folder.appending(path: "run/responders")
    try FileManager.default.createDirectory(at: responders, withIntermediateDirectories: true)
    let answers = ChallengeAnswers()
    try await beside { ready in
      try await answers.run(socket: responders.appending(component: "test.sock").path, port: port, ready: ready)
    } _: {
      try await body(answers)
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

  var authority: Authority { Authority(directory: directory, contact: ["admin@a.example"], termsAgreed: true, trustRoots: trust) }

  /// A call for the certificate to a CSR.
  func call(
    _ csr: SigningRequest, for request: String = "request", authority: Authority? = nil, replacing replaces: String? = nil
  ) -> ACMEClient.Issue.Parameters {
    ACMEClient.Issue.Parameters(request: request, authority: authority ?? self.authority, csr: csr.pem, replaces: replaces, device: nil)
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

  /// What a call fails with.
  func problem<Reply>(_ call: () async throws -> Reply) async throws -> Problem {
    do {
      let reply = try await call()
      throw Unexpected(reply: "\(reply)")
    } catch let failed as ACMEClient.Failed {
      return failed.problem
    }
  }
}

/// A call succeeded that was to fail.
struct Unexpected: Error {
  let reply: String
}

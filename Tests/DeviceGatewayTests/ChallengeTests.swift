import AppWebsocket
import FoundationEssentials
import Logging
import PKI
import RawSocket
import ResponderAPI
import SchedulerAPI
import ServiceLifecycle
import Testing
import Varlink

@testable import DeviceGateway

@Suite("Challenges that devices answer", .timeLimit(.minutes(1)))
struct ChallengeTests {
  private static let registration = #"{"mt":"RegisterDevice","protocol":1,"challenge":"push","src":"r"}"#
  private let token = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"

  @Test("an answer is pushed to its device, and acme-client is told when the device has confirmed; withdrawn, it is removed")
  func pushed() async throws {
    try await TestGateway.run { gateway in
      let device = try await registered("pbx", at: gateway)
      try await withThrowingTaskGroup(of: Responder.Publish.Reply.self) { tasks in
        tasks.addTask { try await gateway.responder.call(Responder.Publish.self, try wish(for: "pbx")) }
        let (added, envelope) = try await device.message(ChallengeAdded.self)
        #expect(added.dns.value == "a.example" && added.keyAuth.value == "\(token).thumbprint")
        #expect(added.path == "/.well-known/acme-challenge/\(token)")
        #expect(envelope.correlation == Correlation(src: "r"))
        try await device.send(ChallengeAddedResult(token: added.token).text)
        let reply = try #require(try await tasks.next())
        #expect(reply.outcome == .inPlace && reply.required)
        _ = try await gateway.responder.call(Responder.Withdraw.self, .init(order: "order", token: added.token))
        #expect(try await device.message(ChallengeRemoved.self).message.token == added.token)
      }
    }
  }

  @Test("a device that reconnects in the middle gets its live challenge again, and its old connection does not count")
  func reconnected() async throws {
    try await TestGateway.run { gateway in
      let old = try await registered("pbx", at: gateway)
      try await withThrowingTaskGroup(of: Responder.Publish.Reply.self) { tasks in
        tasks.addTask { try await gateway.responder.call(Responder.Publish.self, try wish(for: "pbx")) }
        let added = try await old.message(ChallengeAdded.self).message
        let new = try await registered("pbx", at: gateway)
        #expect(try await new.message(ChallengeAdded.self).message == added)
        try await new.send(ChallengeAddedResult(token: added.token).text)
        #expect(try await tasks.next()?.outcome == .inPlace)
      }
    }
  }

  @Test("a device that cannot serve it keeps the CA from being asked, and is named")
  func refused() async throws {
    try await TestGateway.run { gateway in
      let device = try await registered("pbx", at: gateway)
      try await withThrowingTaskGroup(of: Responder.Publish.Reply.self) { tasks in
        tasks.addTask { try await gateway.responder.call(Responder.Publish.self, try wish(for: "pbx")) }
        let added = try await device.message(ChallengeAdded.self).message
        try await device.send(ChallengeAddedResult(token: added.token, error: .internalError, errorText: "port 80 is taken").text)
        let fault = await #expect(throws: Responder.NotPublished.self) { try await tasks.next() }
        #expect(fault?.required == true && fault?.reason.contains("Device pbx") == true && fault?.reason.contains("port 80 is taken") == true)
      }
    }
  }

  @Test("a gateway that was restarted knows that the device answers itself, and waits for it")
  func restarted() async throws {
    let folder = try TemporaryFolder()
    try await TestGateway.run(in: folder) { gateway in
      _ = try await registered("pbx", at: gateway)
      try await eventually("it is not on disk") { FileManager.default.fileExists(atPath: "\(folder.path)/state/challenge-roles.json") }
    }
    try await TestGateway.run(in: folder) { gateway in
      try await withThrowingTaskGroup(of: Responder.Publish.Reply.self) { tasks in
        tasks.addTask { try await gateway.responder.call(Responder.Publish.self, try wish(for: "pbx")) }
        let device = try await registered("pbx", at: gateway)
        let added = try await device.message(ChallengeAdded.self).message
        try await device.send(ChallengeAddedResult(token: added.token).text)
        #expect(try await tasks.next()?.outcome == .inPlace)
      }
    }
  }

  @Test("before an order acme-client hears that a device is away, and the scheduler hears when it has come")
  func foreseen() async throws {
    let folder = try TemporaryFolder()
    try await TestGateway.run(in: folder) { gateway in
      let device = try await registered("pbx", at: gateway)
      try await eventually("the scheduler does not look again") { gateway.scheduler.with { $0.looks.count } == 1 }
      let question = Responder.Foresee.Parameters(names: [try #require(DNSName("a.example"))], device: try wish(for: "pbx").device)
      let reply = try await gateway.responder.call(Responder.Foresee.self, question)
      #expect(reply.obstacles.isEmpty)
      #expect(gateway.scheduler.with { $0.looks.map(\.rawValue) } == [try wish(for: "pbx").device])
      device.socket.close()
    }
  }

  @Test("an order that is given up while a device is being asked leaves nothing behind but its lease")
  func cancelled() async throws {
    try await TestGateway.run { gateway in
      let device = try await registered("pbx", at: gateway)
      let call = Task { try await gateway.responder.call(Responder.Publish.self, try wish(for: "pbx")) }
      let added = try await device.message(ChallengeAdded.self).message
      call.cancel()
      _ = await call.result
      _ = try await gateway.responder.call(Responder.Withdraw.self, .init(order: "order", token: added.token))
      #expect(try await device.message(ChallengeRemoved.self).message.token == added.token)
    }
  }

  @Test("a reverse proxy looks up what it is asked for: what is live, what is not, and what can be no token")
  func lookUp() async throws {
    try await TestGateway.run { gateway in
      let server = challengeHTTP(at: "\(gateway.folder.path)/challenge-http.sock")
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await server.run() }
        let proxy = try await gateway.device("rp")
        try await eventually("it does not answer") {
          try await proxy.send(#"{"mt":"GetChallenge","host":"a.example","token":"\#(token)","src":"first"}"#)
          return Refusal(try await proxy.answer(GetChallenge.name.result)) == nil
        }
        try await proxy.send(#"{"mt":"GetChallenge","host":"a.example","token":"\#(token)","src":"q1"}"#)
        let (found, envelope) = try await proxy.message(GetChallengeResult.self)
        #expect(found.found && found.keyAuth?.value == "\(token).thumbprint")
        #expect(envelope.correlation == Correlation(src: "q1"))
        for unknown in ["unknown", "../../etc/passwd", ""] {
          try await proxy.send(GetChallenge(host: nil, token: unknown).text)
          #expect(try await proxy.message(GetChallengeResult.self).message == GetChallengeResult(nil))
        }
        tasks.cancelAll()
      }
    }
  }

  @Test("a proxy that looks up too much is told so, and so is one whose connector cannot look up")
  func lookUpBounds() async throws {
    try await TestGateway.run { gateway in
      let proxy = try await gateway.device("rp")
      try await proxy.send(GetChallenge(host: nil, token: token).text)
      #expect(Refusal(try await proxy.answer(GetChallenge.name.result))?.error == .busy, "challenge-http is not there")
      for _ in 0..<300 { try await proxy.send(GetChallenge(host: nil, token: "?").text) }
      var refused = 0
      for _ in 0..<300 {
        if Refusal(try await proxy.answer(GetChallenge.name.result))?.error == .busy { refused += 1 }
      }
      #expect(refused > 100)
    }
  }

  private func registered(_ sip: String, at gateway: TestGateway) async throws -> TestDevice {
    let device = try await gateway.device(sip)
    try await device.send(Self.registration)
    _ = try await device.message(RegisterDeviceResult.self)
    return device
  }

  private func wish(for device: String) throws -> Responder.Publish.Parameters {
    let token = try #require(ChallengeToken(token))
    return Responder.Publish.Parameters(
      order: "order", name: try #require(DNSName("a.example")), token: token,
      keyAuthorization: KeyAuthorization(token: token, thumbprint: "thumbprint"),
      device: FakeScheduler.id(.init(scope: "instance", sip: device)).rawValue, expires: WallClock.system.now() + .seconds(300))
  }

  /// Answers for one token.
  private func challengeHTTP(at path: String) -> VarlinkServer {
    VarlinkServer(
      service: .init(vendor: "test", product: "challenge-http", version: "0", url: ""),
      interfaces: [
        VarlinkInterfaceHandlers(
          .challenges,
          [
            .reply(Challenges.Lookup.self) { [token] parameters, _ in
              let live = ChallengeToken(token).map { KeyAuthorization(token: $0, thumbprint: "thumbprint") }
              // It is told who was asked: by the device's id, or before there is one by its login.
              let isNamed = ["instance/rp", "device"].contains(parameters.asker) && parameters.address == "127.0.0.1"
              return .init(parameters.token == token && isNamed ? live : nil)
            }
          ])
      ], listeners: [.path(path)], logger: Logger(label: "challenge-http"))
  }
}

extension TestGateway {
  /// What acme-client calls.
  fileprivate var responder: VarlinkClient { VarlinkClient(path: "\(folder.path)/responder.sock") }
}

import Logging
import PKI
import RawSocket
import ResponderAPI
import ServiceLifecycle
import Testing
import Varlink

@testable import ChallengeHTTP

@Suite("The responder", .timeLimit(.minutes(1)))
struct ResponderTests {
  @Test("publishes, shows and withdraws over Varlink, tells who looked an answer up, and refuses with NotPublished")
  func varlink() async throws {
    let folder = try TemporaryFolder()
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let tokens = try LiveTokens(log: folder.leaseLog, clock: TestClock().wall, logger: logger)
    let path = folder.path + "/socket"
    let socket = try RawSocket.listen(unix: path)
    let server = VarlinkServer(
      service: .init(vendor: "acme-connector", product: "challenge-http", version: "1", url: ""),
      interfaces: [tokens.responderInterface, tokens.challengesInterface], listeners: [.inherited(descriptor: try socket.duplicate(), name: "test")],
      logger: logger)
    let group = ServiceGroup(services: [server], logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      let client = VarlinkClient(path: path)
      let tooLate = try wish(2, expires: .earliest)
      let wish = try wish()
      let published = try await client.call(Responder.Publish.self, wish)
      #expect(published.outcome == .inPlace)
      #expect(!published.required)
      let found = try await client.call(Challenges.Lookup.self, .init(host: nil, token: wish.token.value))
      #expect(found.keyAuthorization == wish.keyAuthorization)
      for token in ["unknown", "", "../../etc/passwd"] {
        let found = try await client.call(Challenges.Lookup.self, .init(host: "x", token: token))
        #expect(!found.found)
      }
      _ = try await client.call(Challenges.Lookup.self, .init(host: "x", token: wish.token.value, asker: "proxy", address: "192.0.2.4"))
      let visits = try await client.call(Responder.Withdraw.self, .init(order: wish.order, token: wish.token)).visits
      #expect(visits == [.init(address: "192.0.2.4", time: TestClock().wall.now(), asker: "proxy")])
      _ = try await client.call(Responder.Withdraw.self, .init(order: "never heard of", token: wish.token))
      let listed = try await client.call(Challenges.List.self, .init()).challenges
      #expect(listed == [.init(name: wish.name, token: wish.token, orders: [], expires: .init(milliseconds: 120_000), hits: 1)])
      await #expect(throws: Responder.NotPublished.self) { try await client.call(Responder.Publish.self, tooLate) }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }
}

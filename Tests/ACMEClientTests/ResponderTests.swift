import FoundationEssentials
import LineLog
import Logging
import PKI
import RawSocket
import ResponderAPI
import Synchronization
import Testing
import Varlink

@testable import ACMEClient

@Suite("Responders that go wrong", .timeLimit(.minutes(2)))
struct ResponderTests {
  @Test("one that hangs delays the order that finds it out by ten seconds and the next by half a second, and is named in the log")
  func hangs() async throws {
    try await withResponders(["good": { _ in .init(.inPlace) }, "stuck": { _ in try await Self.forever() }]) { responders, log in
      let first = try await ContinuousClock().measure { try await #expect(publish(by: responders) == .inPlace(by: ["good"])) }
      #expect(first >= .seconds(10) && first < .seconds(15))
      #expect(log.says("responder stuck has not put a challenge answer in place: no answer within 10 s"))
      let second = try await ContinuousClock().measure { try await #expect(publish(by: responders) == .inPlace(by: ["good"])) }
      #expect(second < .seconds(5))
      #expect(log.says("responder stuck has not put a challenge answer in place: no answer within 500 ms"))
    }
  }

  @Test("one that says nothing at all keeps no answer from a hundred probes, nor their withdrawal, the first time and the next")
  func silent() async throws {
    try await withResponders(["good": { _ in .init(.inPlace) }]) { responders, _ in
      let silent = try RawSocket.listen(unix: responders.folder.appending(component: "silent.sock").path)
      let first = try await probe(100, by: responders)
      #expect(first.time < .seconds(4))
      #expect(Set(first.silent) == ["silent: no answer within 3 s", "silent: busy with other names"])
      let second = try await probe(100, by: responders)
      #expect(second.time < .seconds(3))
      #expect(Set(second.silent) == ["silent: no answer within 500 ms"])
      silent.close()
    }
  }

  /// Has so many names answered for at once as the doctor does, expects it to be so, and takes it back.
  private func probe(_ count: Int, by responders: Responders) async throws -> (time: Duration, silent: [String]) {
    let token = try #require(ChallengeToken("token"))
    let publications = (0..<count).map { Publication(name: CA.name("n\($0).example"), token: token) }
    let start = ContinuousClock.now
    let silent = try await withThrowingTaskGroup(of: [String].self) { tasks in
      for publication in publications {
        tasks.addTask {
          let (verdict, silent) = try await responders.publish(
            publication, as: KeyAuthorization(token: token, thumbprint: "thumbprint"), order: "probe:1", device: nil, expires: nil, for: .probe)
          #expect(verdict == .inPlace(by: ["good"]))
          return silent
        }
      }
      return try await tasks.reduce(into: []) { $0 += $1 }
    }
    let time = ContinuousClock.now - start
    let withdrawals = await ContinuousClock().measure {
      await withTaskGroup(of: Void.self) { tasks in
        for publication in publications { tasks.addTask { _ = await responders.withdraw(publication, order: "probe:1", for: .probe) } }
      }
    }
    #expect(withdrawals < .seconds(1.5))
    return (time, silent)
  }

  @Test("of one order eight names are put in place at once: there is room for others")
  func share() async throws {
    try await Testbed.withModel { bed, _ in
      let gauge = Mutex((inside: 0, most: 0))
      let path = bed.folder.appending(path: "run/responders/slow.sock").path
      let slow = server(
        "slow", at: path,
        [
          .reply(Responder.Publish.self) { _, _ in
            gauge.withLock { gauge in gauge = (gauge.inside + 1, max(gauge.most, gauge.inside + 1)) }
            defer { gauge.withLock { $0.inside -= 1 } }
            try await Task.sleep(for: .milliseconds(100))
            return .init(.notMine)
          }
        ])
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await slow.run() }
        while !FileManager.default.fileExists(atPath: path) { try await Task.sleep(for: .milliseconds(2)) }
        try await bed.withService { service in _ = try await service.issue(bed.call(Testbed.csr(40))) }
        tasks.cancelAll()
      }
      #expect(gauge.withLock { $0.most } == 8)
    }
  }

  @Test("one that crashes, and one that has left its socket behind, are named and delay nothing")
  func crashes() async throws {
    try await withResponders(["good": { _ in .init(.inPlace) }]) { responders, log in
      let crashing = try RawSocket.listen(unix: responders.folder.appending(component: "crashing.sock").path)
      // It is called again, for every method is idempotent: twice by the client, and that three times.
      let crash = Task { for _ in 0..<6 { try await crashing.accept().close() } }
      try RawSocket.listen(unix: responders.folder.appending(component: "gone.sock").path).close()
      let time = try await ContinuousClock().measure { try await #expect(publish(by: responders) == .inPlace(by: ["good"])) }
      #expect(time < .seconds(5))
      #expect(log.says("responder crashing has not put a challenge answer in place"))
      #expect(log.says("responder gone has not put a challenge answer in place"))
      try await crash.value
    }
  }

  @Test("one that speaks nonsense is named")
  func nonsense() async throws {
    try await withResponders([:]) { responders, log in
      let socket = try RawSocket.listen(unix: responders.folder.appending(component: "odd.sock").path)
      let talk = Task {
        let connection = try await socket.accept()
        try await connection.send(Array(#"{"parameters":{"outcome":"certainly","required":false}}"#.utf8) + [0])
        _ = try await connection.receive(count: 1)
      }
      guard case .refused(let reason) = try await publish(by: responders) else { throw CancellationError() }
      #expect(reason.hasPrefix("odd: ") && reason.contains("not what the interface declares"))
      try await talk.value
    }
  }

  @Test("one that is being restarted is asked again, for it may be the one that the CA cannot do without")
  func restarting() async throws {
    let calls = Mutex(0)
    let restarted: Behaviour = { wish in
      let isFirst = calls.withLock { count in
        count += 1
        return count == 1
      }
      if isFirst { throw Restarting() }
      throw Responder.NotPublished(reason: "Device x is not connected.", required: true)
    }
    try await withResponders(["device-gateway": restarted, "good": { _ in .init(.inPlace) }]) { responders, _ in
      let verdict = try await publish(by: responders)
      #expect(verdict == .refused("device-gateway: Device x is not connected."))
    }
  }

  @Test("one that is required, by its own word, is always waited for")
  func required() {
    let patience = ResponderPatience(full: .seconds(10))
    let now = ContinuousClock.now
    patience.wasSilent("plug-in", at: now)
    #expect(patience.limit(for: "plug-in", at: now) == ResponderPatience.short)
    #expect(patience.limit(for: "plug-in", at: now + .seconds(61)) == patience.full)
    patience.answered("plug-in", required: true)
    patience.wasSilent("plug-in", at: now)
    #expect(patience.limit(for: "plug-in", at: now) == patience.full)
    patience.wasSilent("other", at: now)
    patience.wasSilent("other", at: now + .seconds(59))
    #expect(patience.limit(for: "other", at: now + .seconds(61)) == patience.full, "it gets its chance")
    patience.wasSilent("other", at: now + .seconds(61))
    patience.answered("other", required: false)
    #expect(patience.limit(for: "other", at: now + .seconds(62)) == patience.full)
  }

  @Test("what a responder foresees is asked of all; one that knows no such question, and one that is silent, foresee nothing")
  func foresight() async throws {
    let name = CA.name("a.example")
    try await withResponders(["plain": { _ in .init(.inPlace) }]) { responders, _ in
      let silent = try RawSocket.listen(unix: responders.folder.appending(component: "silent.sock").path)
      let path = responders.folder.appending(component: "gateway.sock").path
      let gateway = server(
        "gateway", at: path,
        [
          .reply(Responder.Foresee.self) { question, _ in
            .init(
              obstacles: question.device == "d1"
                ? [.init(name: name, reason: "The proxy is away."), .init(name: CA.name("other.example"), reason: "?")] : [])
          }
        ])
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await gateway.run() }
        while !FileManager.default.fileExists(atPath: path) { try await Task.sleep(for: .milliseconds(2)) }
        let start = ContinuousClock.now
        let obstacles = await responders.obstacles(to: [name], device: "d1")
        let time = ContinuousClock.now - start
        #expect(obstacles == [.init(name: name, reason: "gateway: The proxy is away.")])
        #expect(time >= .seconds(2) && time < .seconds(5))
        let none = await responders.obstacles(to: [name], device: "d2")
        #expect(none.isEmpty)
        tasks.cancelAll()
      }
      silent.close()
    }
  }

  private typealias Behaviour = @Sendable (Responder.Publish.Parameters) async throws -> Responder.Publish.Reply

  @Sendable private static func forever() async throws -> Responder.Publish.Reply {
    try await Task.sleep(for: .seconds(3600))
    throw CancellationError()
  }

  private func publish(by responders: Responders) async throws -> PublicationVerdict {
    let token = try #require(ChallengeToken("token"))
    return try await responders.publish(
      Publication(name: CA.name("a.example"), token: token), as: KeyAuthorization(token: token, thumbprint: "thumbprint"), order: "order/1",
      device: nil, expires: nil
    ).verdict
  }

  private func server(_ name: String, at path: String, _ handlers: [VarlinkHandler]) -> VarlinkServer {
    VarlinkServer(
      service: .init(vendor: "test", product: name, version: "0", url: ""), interfaces: [VarlinkInterfaceHandlers(.responder, handlers)],
      listeners: [.path(path)], logger: Logger(label: name) { _ in SwiftLogNoOpLogHandler() })
  }

  private func withResponders(_ behaviours: [String: Behaviour], _ body: (Responders, LineLog.Lines) async throws -> Void) async throws {
    try await withFolder { folder in
      let lines = LineLog.Lines()
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        for (name, behaviour) in behaviours {
          let path = folder.appending(component: "\(name).sock").path
          let server = server(name, at: path, [.reply(Responder.Publish.self) { wish, _ in try await behaviour(wish) }])
          tasks.addTask { try await server.run() }
          while !FileManager.default.fileExists(atPath: path) { try await Task.sleep(for: .milliseconds(2)) }
        }
        try await body(Responders(folder: folder, clock: .system, logger: LineLog.make(lines)), lines)
        tasks.cancelAll()
      }
    }
  }
}

extension LineLog.Lines {
  fileprivate func says(_ text: String) -> Bool { all.contains { $0.contains(text) } }
}

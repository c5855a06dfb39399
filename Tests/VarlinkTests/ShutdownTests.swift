import RawSocket
import Testing

@testable import Varlink

@Suite("A Varlink server that is asked to end", .timeLimit(.minutes(1)))
struct ShutdownTests {
  private static let echo = #"{"method":"com.example.test.Echo","parameters":{"text":"x"}}"# + "\0"
  private static let echoed = #"{"parameters":{"text":"x"}}"#

  @Test("answers the call under way, and those that wait behind it")
  func callUnderWay() async throws {
    try await TestServer.run { server in
      let socket = try server.connect()
      try await socket.send(#"{"method":"com.example.test.Hold"}"# + "\0")
      #expect(await server.probe.next() == "held")
      for _ in 0..<50 { try await socket.send(Self.echo) }
      await server.stop()
      server.probe.release.fire()
      let replies = try await socket.receiveAll().split(separator: "\0")
      #expect(replies.count == 51)
      #expect(replies.last.map(String.init) == Self.echoed)
    }
  }

  @Test("ends streams with Restarting, at once")
  func stream() async throws {
    try await TestServer.run { server in
      await #expect(throws: Restarting()) {
        _ = try await server.client.stream(Test.Follow.self, NoMembers()) { _ in await server.stop() }
      }
    }
  }

  @Test("ends a call that takes too long with Restarting")
  func overdue() async throws {
    var limits = VarlinkLimits.patient
    limits.grace = .milliseconds(50)
    try await TestServer.run(limits: limits) { server in
      let socket = try server.connect()
      try await socket.send(#"{"method":"com.example.test.Hold"}"# + "\0")
      #expect(await server.probe.next() == "held")
      await server.stop()
      #expect(try await socket.receive(until: "\0") == #"{"error":"com.example.test.Restarting","parameters":{}}"#)
      #expect(await server.probe.next() == "cancelled")
    }
  }

  @Test("still serves the first call of a connection that it has accepted")
  func silentConnection() async throws {
    try await TestServer.run { server in
      let silent = try server.connect()
      #expect(try await server.client.call(Test.Echo.self, .init(text: "accepted after the silent one")).text != "")
      await server.stop()
      try await silent.send(Self.echo)
      #expect(try await silent.receiveAll() == Self.echoed + "\0")
    }
  }

  @Test("does not wait for a peer that says nothing, or reads nothing")
  func deadPeers() async throws {
    var limits = VarlinkLimits.patient
    limits.grace = .milliseconds(50)
    limits.farewell = .milliseconds(50)
    let silent = Box<RawSocket>()
    try await TestServer.run(limits: limits) { server in
      silent.value = try server.connect()
      let deaf = try server.connect()
      try await deaf.send(#"{"method":"com.example.test.Flood","more":true}"# + "\0")
      #expect(await server.probe.next() == "held")
      await server.stop()
      #expect(await server.probe.next() == "cancelled")
    }
    #expect(try await silent.value?.receiveAll() == "")
  }

  @Test("leaves new connections in the socket's queue, as long as it was, for the next process")
  func queue() async throws {
    let folder = try TemporaryFolder()
    let socket = try RawSocket.listen(unix: folder.path + "/socket")
    try await TestServer.run(on: socket, in: folder) { server in
      _ = try await server.client.call(Test.Echo.self, .init(text: "x"))
    }
    let waiting = try (0..<400).map { _ in try RawSocket.connect(unix: folder.path + "/socket") }
    for socket in waiting { try await socket.send(Self.echo) }
    try await TestServer.run(on: socket, in: folder, limits: roomy) { server in
      for socket in waiting {
        let reply = try await socket.receive(until: "\0")
        #expect(reply == Self.echoed)
      }
    }
  }

  private var roomy: VarlinkLimits {
    var limits = VarlinkLimits.patient
    limits.connections = 1000
    return limits
  }

  @Test("loses no call, however often it is restarted")
  func restarts() async throws {
    let folder = try TemporaryFolder()
    let socket = try RawSocket.listen(unix: folder.path + "/socket")
    let client = VarlinkClient(path: folder.path + "/socket")
    try await withThrowingTaskGroup(of: Int.self) { tasks in
      let over = Signal()
      for _ in 0..<4 {
        tasks.addTask {
          var calls = 0
          while !over.hasFired {
            let reply = try await client.call(Test.Echo.self, .init(text: "\(calls)"))
            #expect(reply.text == "\(calls)")
            calls += 1
          }
          return calls
        }
      }
      for _ in 0..<30 {
        try await TestServer.run(on: socket, in: folder) { server in
          for _ in 0..<5 { _ = try await server.client.call(Test.Echo.self, .init(text: "x")) }
        }
      }
      over.fire()
      // Those that wait in the queue need a last server.
      try await TestServer.run(on: socket, in: folder) { _ in
        for try await calls in tasks { #expect(calls > 0) }
      }
    }
  }

  @Test("ends at once when its task is cancelled, and closes what it has accepted")
  func cancellation() async throws {
    let open = Box<RawSocket>()
    struct Enough: Error {}
    await #expect(throws: Enough.self) {
      try await TestServer.run { server in
        open.value = try server.connect()
        try await open.value?.send(#"{"method":"com.example.test.Hold"}"# + "\0")
        #expect(await server.probe.next() == "held")
        throw Enough()
      }
    }
    #expect(try await open.value?.receiveAll().contains("number") == false)
  }
}

/// Carries something out of a closure.
private final class Box<Value> {
  var value: Value?
}

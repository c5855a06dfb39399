import NIOCore
import NIOEmbedded
import RawSocket
import Testing

@testable import Varlink

@Suite("A Varlink server is bounded", .timeLimit(.minutes(1)))
struct LimitTests {
  private func limits(_ change: (inout VarlinkLimits) -> Void) -> VarlinkLimits {
    var limits = VarlinkLimits.patient
    change(&limits)
    return limits
  }

  @Test("in the length of a message, with or without its end")
  func length() async throws {
    let limits = limits { $0.messageBytes = 1000 }
    try await TestServer.run(limits: limits) { server in
      let empty = #"{"method":"com.example.test.Echo","parameters":{"text":""}}"#
      let longest = empty.replacing("\"\"", with: "\"\(String(repeating: "x", count: 1000 - empty.utf8.count))\"")
      #expect(try await server.exchange(longest)?.contains("xxx") == true)
      #expect(try await server.exchange(longest + " ") == nil)
      let endless = try server.connect()
      try await endless.send(String(repeating: "x", count: 1001))
      #expect(try await endless.receiveAll() == "")
    }
  }

  @Test("in the depth of a message")
  func depth() async throws {
    try await TestServer.run { server in
      for (depth, isAnswered) in [(30, true), (31, false), (100_000, false)] {
        let list = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        let reply = try await server.exchange(#"{"method":"com.example.test.Echo","parameters":{"text":"[[[\"{{","x":\#(list)}}"#)
        #expect(reply == (isAnswered ? #"{"parameters":{"text":"[[[\"{{"}}"# : nil))
      }
    }
  }

  @Test(
    "in what is no message at all",
    arguments: ["", "[]", "null", "{}", #"{"method":1}"#, "GET / HTTP/1.1\r\n\r\n", #"{"method":"x","upgrade":true}"#])
  func noMessage(text: String) async throws {
    try await TestServer.run { server in
      let reply = try await server.exchange(text)
      #expect(reply == nil)
    }
  }

  @Test("in the time that a message in small pieces costs")
  func smallPieces() throws {
    let channel = EmbeddedChannel(handler: ByteToMessageHandler(MessageFraming(limit: 1 << 20)))
    let piece = ByteBuffer(string: "x")
    for _ in 0..<100_000 { try channel.writeInbound(piece) }
    try channel.writeInbound(ByteBuffer(string: "\0"))
    #expect(try channel.readInbound(as: ByteBuffer.self)?.readableBytes == 100_000)
    #expect(try channel.finish(acceptAlreadyClosed: true).isClean)
  }

  @Test("in connections: one too many is closed, and when one goes there is room again")
  func connections() async throws {
    let limits = limits { $0.connections = 2 }
    try await TestServer.run(limits: limits) { server in
      let echo = #"{"method":"com.example.test.Echo","parameters":{"text":"x"}}"# + "\0"
      let open = [try server.connect(), try server.connect()]
      for socket in open {
        try await socket.send(echo)
        #expect(try await socket.receive(until: "\0") != nil)
      }
      #expect(try await server.connect().receiveAll() == "")
      open[0].closeOutput()
      #expect(try await open[0].receiveAll() == "")
      // The server counts it out a moment after its peer has seen the end.
      while try await server.exchange(String(echo.dropLast())) == nil {}
    }
  }

  @Test("in streams: one too many is told that the server is busy")
  func streams() async throws {
    let limits = limits { $0.streams = 1 }
    try await TestServer.run(limits: limits) { server in
      let follow = #"{"method":"com.example.test.Follow","more":true}"#
      let first = try server.connect()
      try await first.send(follow + "\0")
      #expect(await server.probe.next() == "held")
      #expect(try await server.exchange(follow) == #"{"error":"org.acmeconnector.Busy","parameters":{}}"#)
      let busy = await #expect(throws: VarlinkError.self) {
        try await server.client.stream(Test.Follow.self, NoMembers()) { _ in }
      }
      #expect(busy?.code == .busy && busy?.isTransient == true)
      first.close()
      #expect(await server.probe.next() == "cancelled")
      #expect(try await server.client.call(Test.Echo.self, .init(text: "x")).text == "x")
    }
  }

  @Test("in what a peer that does not read can have it keep")
  func slowReader() async throws {
    let limits = limits { $0.idle = .seconds(2) }
    try await TestServer.run(limits: limits) { server in
      let socket = try server.connect()
      try await socket.send(#"{"method":"com.example.test.Flood","more":true}"# + "\0")
      #expect(await server.probe.next() == "held")
      #expect(await server.probe.next() == "cancelled")
    }
  }

  @Test("in the time that a silent connection stays open")
  func silence() async throws {
    try await TestServer.run(limits: limits { $0.idle = .milliseconds(100) }) { server in
      let socket = try server.connect()
      let received = try await socket.receiveAll()
      #expect(received == "")
    }
  }
}

@Suite("A connection without progress is closed")
struct ConnectionDeadlineTests {
  private let loop = EmbeddedEventLoop()

  /// A connection that may be idle for a minute.
  private func connect() throws -> (EmbeddedChannel, Connection) {
    let channel = EmbeddedChannel(loop: loop)
    let connection = try Connection(on: channel, messageBytes: 1000, idle: .seconds(60))
    try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
    return (channel, connection)
  }

  @Test("when no whole message comes, however the bytes drip in")
  func dripping() throws {
    let (channel, connection) = try connect()
    for _ in 0..<59 {
      try channel.writeInbound(ByteBuffer(string: "x"))
      loop.advanceTime(by: .seconds(1))
    }
    #expect(channel.isActive)
    loop.advanceTime(by: .seconds(1))
    #expect(!channel.isActive)
    withExtendedLifetime(connection) {}
  }

  @Test("but never while a call is served")
  func underWay() throws {
    let (channel, connection) = try connect()
    try channel.writeInbound(ByteBuffer(string: "{}\0{}\0"))
    loop.advanceTime(by: .hours(1))
    connection.proceed()
    loop.advanceTime(by: .hours(1))
    #expect(channel.isActive)
    connection.proceed()
    loop.advanceTime(by: .seconds(59))
    #expect(channel.isActive)
    loop.advanceTime(by: .seconds(1))
    #expect(!channel.isActive)
  }

  @Test("when a reply is not taken")
  func deafPeer() throws {
    let (channel, connection) = try connect()
    try channel.writeInbound(ByteBuffer(string: "{}\0"))
    for isTaken in [true, false] {
      channel.isWritable = false
      channel.flush()
      loop.advanceTime(by: .seconds(59))
      if isTaken {
        channel.isWritable = true
        channel.pipeline.fireChannelWritabilityChanged()
      }
      loop.advanceTime(by: .seconds(1))
      #expect(channel.isActive == isTaken)
    }
    withExtendedLifetime(connection) {}
  }
}

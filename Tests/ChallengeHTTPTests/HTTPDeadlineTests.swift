import Logging
import NIOCore
import NIOEmbedded
import RawSocket
import Telemetry
import Testing

@testable import ChallengeHTTP

@Suite("An HTTP connection has")
struct HTTPDeadlineTests {
  private static let request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

  private let loop = EmbeddedEventLoop()
  private let connections: HTTPConnections
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let tokens = try LiveTokens(log: folder.leaseLog, clock: TestClock().wall, logger: logger)
    connections = HTTPConnections(
      tokens: tokens, hits: HitLog(logger: logger, metrics: MetricsRegistry()), limits: HTTPLimits(), isUsed: {}, loop: loop)
  }

  private func connect() throws -> EmbeddedChannel {
    let channel = EmbeddedChannel(handler: HTTPConnection(connections), loop: loop)
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 80)).wait()
    return channel
  }

  private func send(_ text: String, on channel: EmbeddedChannel) throws { try channel.writeInbound(ByteBuffer(string: text)) }

  /// Whether the connection is closed by that time, and no sooner.
  private func expectClose(of channel: EmbeddedChannel, after seconds: Int64, sourceLocation: SourceLocation = #_sourceLocation) {
    loop.advanceTime(by: .milliseconds(seconds * 1000 - 1))
    #expect(channel.isActive, sourceLocation: sourceLocation)
    loop.advanceTime(by: .milliseconds(1))
    #expect(!channel.isActive, sourceLocation: sourceLocation)
  }

  @Test("five seconds for its first head, whoever else is idle")
  func firstHead() throws {
    try send(Self.request, on: connect())
    loop.advanceTime(by: .seconds(1))
    expectClose(of: try connect(), after: 5)
  }

  @Test("five seconds for a head from its first byte, however it drips")
  func drippingHead() throws {
    let channel = try connect()
    try send(Self.request, on: channel)
    loop.advanceTime(by: .seconds(14))
    for _ in 0..<4 {
      try send("x", on: channel)
      loop.advanceTime(by: .seconds(1))
    }
    expectClose(of: channel, after: 1)
  }

  @Test("five seconds for a head that begins behind another")
  func pipelinedHead() throws {
    let channel = try connect()
    loop.advanceTime(by: .seconds(4))
    try send(Self.request + "GET", on: channel)
    expectClose(of: channel, after: 5)
  }

  @Test("fifteen seconds between two requests, again after each")
  func idle() throws {
    let channel = try connect()
    for _ in 0..<10 {
      try send(Self.request, on: channel)
      loop.advanceTime(by: .seconds(14))
    }
    expectClose(of: channel, after: 1)
  }

  @Test("no second answer once it was refused")
  func refused() throws {
    let channel = try connect()
    try send("what?\n", on: channel)
    try send(Self.request, on: channel)
    #expect(try channel.readOutbound(as: ByteBuffer.self).map { Answer(String(buffer: $0)).code } == 400)
    #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
  }
}

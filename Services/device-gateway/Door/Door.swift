import Logging
import Metrics
import NIOCore
import NIOPosix
import Systemd
import Telemetry

/// The listening sockets and everyone behind them.
struct Door: Sendable {
  let secureSockets: [ListeningSocket]
  let plainSockets: [ListeningSocket]
  let pipeline: @Sendable (_ isSecure: Bool) -> DoorPipeline
  let connections: Connections
  let group: any EventLoopGroup
  let logger: Logger

  /// Begins to take connections in.
  func open() async throws -> [any Channel] {
    var listeners: [any Channel] = []
    for (sockets, isSecure) in [(secureSockets, true), (plainSockets, false)] {
      for socket in sockets { listeners.append(try await listen(on: socket, isSecure: isSecure)) }
    }
    return listeners
  }

  /// Pings everyone in turn, and counts them, until it is cancelled.
  func keepPinging() async {
    let pause = connections.limits.pingInterval / Int(Connections.pingRounds)
    var round: UInt64 = 0
    while (try? await Task.sleep(for: pause)) != nil {
      connections.ping(round: round)
      Gauge(label: "gateway_connections").record(connections.count)
      round += 1
    }
  }

  private func listen(on socket: ListeningSocket, isSecure: Bool) async throws -> any Channel {
    let pipeline = pipeline(isSecure)
    let listener = try await ServerBootstrap(group: group)
      .childChannelOption(.writeBufferWaterMark, value: .init(low: connections.limits.outboundBytes / 4, high: connections.limits.outboundBytes))
      // An idle connection keeps a receive buffer: a small one, that grows for those who send much.
      .childChannelOption(.recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 64, initial: 512, maximum: 65_536))
      .childChannelInitializer { pipeline.setUp($0) }
      .withBoundSocket(socket.descriptor).get()
    try socket.restoreBacklog()
    logger.info("listening", metadata: [.address: socket.address, .socket: socket.name])
    return listener
  }
}

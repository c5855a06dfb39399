import NIOCore
import NIOPosix
import ServiceLifecycle
import Systemd

/// Answers challenges on the listeners that it is handed, all on one event loop: a single thread answers more than any CA asks.
struct HTTPServer: Service, CustomStringConvertible {
  let listeners: [ListeningSocket]
  let tokens: LiveTokens
  let hits: HitLog
  var limits = HTTPLimits()
  /// Is told, at most once a second, that a live token was asked for.
  let isUsed: @Sendable () -> Void

  var description: String { "HTTP listeners" }

  /// Serves until graceful shutdown or cancellation; then it takes no new connection (they wait in the kernel's queue for the next process),
  /// and gives those that it has their answer.
  func run() async throws {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let connections = try await loop.submit {
      NIOLoopBound(HTTPConnections(tokens: tokens, hits: hits, limits: limits, isUsed: isUsed, loop: loop), eventLoop: loop)
    }.get()
    let bootstrap = ServerBootstrap(group: loop)
      .serverChannelOption(.maxMessagesPerRead, value: 64)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(HTTPConnection(connections.value)) }
      }

    var channels: [any Channel] = []
    do {
      for listener in listeners {
        channels.append(try await bootstrap.withBoundSocket(listener.descriptor).get())
        try listener.restoreBacklog()
      }
      try await gracefulShutdown()
    } catch is CancellationError {
    } catch {
      for channel in channels { channel.close(promise: nil) }
      throw error
    }

    for channel in channels { try? await channel.setOption(.autoRead, value: false).get() }
    // All that was accepted is set up on this loop: after one turn of it, nothing is on its way any more.
    try await loop.submit {}.get()
    for channel in channels { try? await channel.close() }
    try await loop.flatSubmit { connections.value.end() }.get()
  }
}

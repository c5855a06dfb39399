import Glibc
public import Logging
import NIOConcurrencyHelpers
public import NIOCore
public import NIOPosix
public import ServiceLifecycle

/// Where a server takes its connections from.
public enum VarlinkListener: Sendable {
  /// A socket that systemd, or whoever started the process, has bound; `name` is its FileDescriptorName.
  case inherited(descriptor: CInt, name: String)
  /// A path that the server binds itself.
  case path(String)

  var name: String {
    switch self {
    case .inherited(_, let name): name
    case .path(let path): path
    }
  }
}

/// How a call ended, for counters.
public enum VarlinkOutcome: String, Sendable {
  /// It was answered with a reply.
  case replied
  /// It was answered with an error.
  case failed
  /// The caller went away, or the service ended, before there was an answer.
  case interrupted
}

/// Is told of every call.
public protocol VarlinkServerObserver: Sendable {
  /// A call has come in. `method` is one that the server serves.
  func callBegan(method: String)
  /// The call is over.
  func callEnded(method: String, outcome: VarlinkOutcome, duration: Duration)
}

/// Serves interfaces on Unix sockets until it is asked to end. Then it takes no new connection (they wait in the kernel's
/// queue for the next process), ends streams with `Restarting`, and answers the calls that it has taken.
public struct VarlinkServer: Service {
  private let interfaces: [VarlinkInterfaceHandlers]
  private let listeners: [VarlinkListener]
  private let limits: VarlinkLimits
  private let observer: (any VarlinkServerObserver)?
  private let logger: Logger
  private let group: any EventLoopGroup

  /// A server for `interfaces` and `org.varlink.service`.
  public init(
    service: VarlinkServiceDescription,
    interfaces: [VarlinkInterfaceHandlers],
    listeners: [VarlinkListener],
    limits: VarlinkLimits = VarlinkLimits(),
    observer: (any VarlinkServerObserver)? = nil,
    logger: Logger,
    group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
  ) {
    self.interfaces = [ServiceInterface.handlers(service, interfaces.map(\.interface))] + interfaces
    self.listeners = listeners
    self.limits = limits
    self.observer = observer
    self.logger = logger
    self.group = group
  }

  /// Serves until graceful shutdown or cancellation.
  /// - Throws: what kept a listener from being bound.
  public func run() async throws {
    let ending = Ending()
    let server = ConnectionServer(
      dispatcher: Dispatcher(interfaces, limits: limits, observer: observer, ending: ending, logger: logger),
      limits: limits, ending: ending, logger: logger)
    let (accepted, queue) = AsyncStream.makeStream(of: Accepted.self)
    let channels = try await bind(to: queue)
    await withGracefulShutdownHandler {
      await withTaskGroup { tasks in
        tasks.addTask {
          await ending.begun.wait()
          for channel in channels { await stopAccepting(on: channel) }
          queue.finish()
          try? await Task.sleep(for: limits.grace)
          ending.overdue.fire()
          try? await Task.sleep(for: limits.farewell)
          ending.over.fire()
        }
        await withDiscardingTaskGroup { connections in
          for await (connection, listener) in accepted {
            connections.addTask { await server.serve(connection, listener: listener) }
          }
        }
        tasks.cancelAll()
      }
    } onGracefulShutdown: {
      ending.begun.fire()
    }
  }

  private typealias Accepted = (connection: Connection, listener: String)

  /// Binds all listeners, or none.
  private func bind(to queue: AsyncStream<Accepted>.Continuation) async throws -> [any Channel] {
    var channels: [any Channel] = []
    do {
      for listener in listeners { channels.append(try await bind(listener, to: queue)) }
      return channels
    } catch {
      for channel in channels { channel.close(promise: nil) }
      throw error
    }
  }

  private func bind(_ listener: VarlinkListener, to queue: AsyncStream<Accepted>.Continuation) async throws -> any Channel {
    let bootstrap = ServerBootstrap(group: group)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      // Not writable means: the kernel has not taken all of it.
      .childChannelOption(.writeBufferWaterMark, value: .init(low: 1, high: 1))
      .childChannelInitializer { [limits] channel in
        PeerCredentials.ofPeer(on: channel).flatMapThrowing { peer in
          queue.yield((try Connection(on: channel, peer: peer, messageBytes: limits.messageBytes, idle: limits.idle), listener.name))
        }
      }
    switch listener {
    case .inherited(let descriptor, _):
      let channel = try await bootstrap.withBoundSocket(descriptor).get()
      // NIO has called listen() once more and with it lowered the backlog that the socket unit asked for.
      _ = Glibc.listen(descriptor, 4096)
      return channel
    case .path(let path):
      return try await bootstrap.serverChannelOption(.backlog, value: 4096)
        .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
    }
  }

  /// Takes no more connections from the kernel, and returns when those taken are in the queue: each is set up on a loop of its own, after
  /// which the listener's loop has its turn.
  private func stopAccepting(on listener: any Channel) async {
    try? await listener.setOption(.autoRead, value: false).get()
    for loop in group.makeIterator() { try? await loop.submit {}.get() }
    try? await listener.eventLoop.submit {}.get()
    try? await listener.close()
  }
}

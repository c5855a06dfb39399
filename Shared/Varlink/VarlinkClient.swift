public import NIOCore
public import NIOPosix
import Telemetry

/// Calls the methods of a service. Each call has a connection of its own: a stream owns it, closing it cancels, and a service that
/// was restarted in between is not noticed.
public struct VarlinkClient: Sendable {
  /// The service's socket.
  public let path: String
  private let group: any EventLoopGroup
  private let coding: MessageCoding

  /// A client of the service that listens at `path`. Nothing is opened before the first call.
  public init(path: String, limits: VarlinkLimits = VarlinkLimits(), group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton) {
    self.path = path
    self.group = group
    self.coding = MessageCoding(limits: limits)
  }

  /// Calls a method and returns its reply.
  /// - Parameter timeLimit: how long the reply may take; none waits until the service answers or ends.
  /// - Throws: an error that the interface declares, or a ``VarlinkError``.
  public func call<Method: VarlinkMethod>(
    _ method: Method.Type, _ parameters: Method.Parameters, timeLimit: Duration? = nil
  ) async throws -> Method.Reply {
    try await within(timeLimit, of: Method.qualifiedName) {
      try await perform(method, parameters, more: false) { _ in }
    }
  }

  /// Calls a method with `more`, hands over each reply as it comes, and returns the last one. Cancelling the task closes the
  /// connection, and with it ends the call.
  /// - Throws: an error that the interface declares, a ``VarlinkError``, or what `onReply` throws.
  public func stream<Method: VarlinkMethod>(
    _ method: Method.Type, _ parameters: Method.Parameters, onReply: @Sendable (Method.Reply) async throws -> Void
  ) async throws -> Method.Reply {
    try await perform(method, parameters, more: true, onReply: onReply)
  }

  /// Sends a call that is not answered.
  /// - Throws: a ``VarlinkError`` when nobody listens.
  public func notify<Method: VarlinkMethod>(_ method: Method.Type, _ parameters: Method.Parameters) async throws {
    let call = try encode(method, parameters, oneway: true)
    let connection = try await connect(for: Method.qualifiedName)
    defer { connection.abort() }
    do { try await connection.send(call) } catch { throw self.error(.closed, Method.qualifiedName, "the connection ended before the call was sent") }
  }

  private func encode<Method: VarlinkMethod>(
    _ method: Method.Type, _ parameters: Method.Parameters, more: Bool = false, oneway: Bool = false
  ) throws -> ByteBuffer {
    var parameters = parameters
    if var traced = parameters as? any Traced, traced.trace == nil {
      traced.trace = TraceContext.current
      parameters = traced as? Method.Parameters ?? parameters
    }
    if var traced = parameters as? any CloselyTraced, traced.traced == nil, !TraceCategory.current.isEmpty {
      traced.traced = TraceCategory.current.sorted { $0.rawValue < $1.rawValue }
      parameters = traced as? Method.Parameters ?? parameters
    }
    do {
      return try coding.encode(Call(method: Method.qualifiedName, parameters: parameters, more: more ? true : nil, oneway: oneway ? true : nil))
    } catch is MessageCoding.Fault {
      throw error(.tooLarge, Method.qualifiedName, "the call is longer than \(coding.limits.messageBytes) bytes")
    }
  }

  /// Calls, and when the connection ends before the first reply calls once more: every method is idempotent, and a service
  /// that is being restarted answers the second time.
  private func perform<Method: VarlinkMethod>(
    _ method: Method.Type, _ parameters: Method.Parameters, more: Bool, onReply: @Sendable (Method.Reply) async throws -> Void
  ) async throws -> Method.Reply {
    let call = try encode(method, parameters, more: more)
    for _ in 1...2 {
      if let reply = try await attempt(method, call, onReply: onReply) { return reply }
    }
    throw error(.closed, Method.qualifiedName, "the connection ended before the reply")
  }

  /// One exchange over a connection of its own; nil if that ended before the first reply.
  private func attempt<Method: VarlinkMethod>(
    _ method: Method.Type, _ call: ByteBuffer, onReply: @Sendable (Method.Reply) async throws -> Void
  ) async throws -> Method.Reply? {
    let connection = try await connect(for: Method.qualifiedName)
    defer { connection.abort() }
    return try await withTaskCancellationHandler {
      // If it cannot be sent the service has ended; what follows then is the end of the replies.
      try? await connection.send(call)
      var messages = connection.messages.makeAsyncIterator()
      var hasReply = false
      while let message = try await next(of: &messages, method) {
        hasReply = true
        let (reply, continues) = try read(message, of: method)
        guard continues else { return reply }
        try await onReply(reply)
        connection.proceed()
      }
      try Task.checkCancellation()
      guard hasReply else { return nil }
      throw error(.closed, Method.qualifiedName, "the connection ended in the middle of the replies")
    } onCancel: {
      connection.abort()
    }
  }

  private typealias Messages = AsyncThrowingStream<ByteBuffer, any Error>

  /// The next message; nil once the connection has ended, however it did.
  private func next<Method: VarlinkMethod>(of messages: inout Messages.Iterator, _ method: Method.Type) async throws -> ByteBuffer? {
    do {
      return try await messages.next()
    } catch is MessageFraming.TooLong {
      throw error(.tooLarge, Method.qualifiedName, "the reply is longer than \(coding.limits.messageBytes) bytes")
    } catch {
      return nil
    }
  }

  private func read<Method: VarlinkMethod>(_ message: ByteBuffer, of method: Method.Type) throws -> (Method.Reply, continues: Bool) {
    do {
      try coding.checkDepth(of: message)
      let head = try coding.decode(ReplyHead.self, from: message)
      if let name = head.error { throw try fault(name, message, of: method) }
      return (try coding.decode(Body<Method.Reply>.self, from: message).parameters, head.continues == true)
    } catch let error as DecodingError {
      throw self.error(.badMessage, Method.qualifiedName, "the reply is not what the interface declares: \(error)")
    } catch is MessageCoding.Fault {
      throw error(.tooLarge, Method.qualifiedName, "the reply is nested deeper than \(coding.limits.depth) levels")
    }
  }

  private func fault<Method: VarlinkMethod>(_ name: String, _ message: ByteBuffer, of method: Method.Type) throws -> any Error {
    guard let type = Method.interface.fault(qualified: name) else {
      let isBusy = name == ServiceFault.busy.name
      return error(isBusy ? .busy : .refused, Method.qualifiedName, isBusy ? "all streams that it serves at a time are taken" : name)
    }
    return try decode(type, from: message)
  }

  private func decode<Fault: VarlinkFault>(_ type: Fault.Type, from message: ByteBuffer) throws -> any Error {
    try coding.decode(Body<Fault>.self, from: message).parameters
  }

  private func connect(for method: String) async throws -> Connection {
    let limit = coding.limits.messageBytes
    do {
      return try await ClientBootstrap(group: group).connect(unixDomainSocketPath: path) { channel in
        channel.eventLoop.makeCompletedFuture { try Connection(on: channel, messageBytes: limit) }
      }
    } catch {
      throw self.error(.unreachable, method, "nobody answers there (\(error)); is the service's socket unit running?")
    }
  }

  private func within<Value: Sendable>(
    _ limit: Duration?, of method: String, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    guard let limit else { return try await body() }
    return try await withThrowingTaskGroup(of: Value.self) { tasks in
      defer { tasks.cancelAll() }
      tasks.addTask(operation: body)
      tasks.addTask {
        try await Task.sleep(for: limit)
        throw error(.timedOut, method, "no answer within \(limit)")
      }
      guard let first = try await tasks.next() else { throw CancellationError() }
      return first
    }
  }

  private func error(_ code: VarlinkError.Code, _ method: String, _ detail: String) -> VarlinkError {
    VarlinkError(code, method: method, peer: path, detail: detail)
  }
}

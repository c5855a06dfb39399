import FoundationEssentials
import Logging
import NIOConcurrencyHelpers
import NIOCore
import Telemetry

/// Finds who serves a call, lets it be served, and turns whatever comes of it into the answer.
struct Dispatcher: Sendable {
  private let handlers: [String: VarlinkHandler]
  private let interfaces: [VarlinkInterface]
  private let coding: MessageCoding
  private let limits: VarlinkLimits
  private let observer: (any VarlinkServerObserver)?
  private let ending: Ending
  private let logger: Logger
  private let streams = NIOLockedValueBox(0)

  init(_ interfaces: [VarlinkInterfaceHandlers], limits: VarlinkLimits, observer: (any VarlinkServerObserver)?, ending: Ending, logger: Logger) {
    self.handlers = Dictionary(interfaces.flatMap(\.handlers).map { ($0.method, $0) }, uniquingKeysWith: { first, _ in first })
    self.interfaces = interfaces.map(\.interface)
    self.coding = MessageCoding(limits: limits)
    self.limits = limits
    self.observer = observer
    self.ending = ending
    self.logger = logger
  }

  /// Answers one call.
  /// - Returns: whether the connection may go on.
  /// - Throws: what is wrong with a message that is no call, which ends the connection, or what kept an answer from being sent.
  func answer(_ message: ByteBuffer, of connection: Connection, listener: String) async throws -> Bool {
    try coding.checkDepth(of: message)
    let head = try coding.decode(CallHead.self, from: message)
    guard head.upgrade != true else { return false }
    let send: @Sendable (ByteBuffer) async throws -> Void = { reply in
      guard head.oneway != true else { return }
      do { try await connection.send(reply) } catch { throw CallerGone() }
    }
    guard let handler = handlers[head.method] else {
      try await send(coding.encode(fault: unknown(head.method)))
      return true
    }
    let wantsMore = head.more == true
    guard wantsMore || !handler.requiresMore else {
      try await send(coding.encode(fault: .expectedMore))
      return true
    }
    let isStream = handler.isStream && wantsMore
    guard !isStream || admitStream() else {
      try await send(coding.encode(fault: .busy))
      return true
    }
    defer { if isStream { streams.withLockedValue { $0 -= 1 } } }

    observer?.callBegan(method: handler.method)
    let start = ContinuousClock.now
    let end = await end(isStream: isStream, callerGone: head.oneway == true ? nil : isStream ? connection.inputClosed : connection.closed) {
      try await PeerCredentials.$caller.withValue(connection.peer) {
        try await handler.serve(message, VarlinkCall(listener: listener, wantsMore: wantsMore), coding, send)
      }
    }
    let (answer, outcome) = reply(to: handler.method, after: end)
    observer?.callEnded(method: handler.method, outcome: outcome, duration: start.duration(to: .now))
    guard let answer else { return false }
    try await send(answer)
    return true
  }

  private func admitStream() -> Bool {
    streams.withLockedValue { streams in
      guard streams < limits.streams else { return false }
      streams += 1
      return true
    }
  }

  /// A reply could not be sent: no fault of the handler that wanted to.
  private struct CallerGone: Error {}

  private enum CallEnd {
    case served(ByteBuffer)
    case failed(any Error)
    case callerGone
    case restarting
  }

  /// Lets a call be served until it is done, its caller is gone, or the server ends: a stream then ends at once, another call
  /// when its grace is over. A call without a reply has no caller who could wait for it.
  private func end(
    isStream: Bool, callerGone: Signal?, serve: @escaping @Sendable () async throws -> ByteBuffer
  ) async -> CallEnd {
    await withTaskGroup(of: CallEnd.self) { tasks in
      tasks.addTask {
        do { return .served(try await serve()) } catch { return .failed(error) }
      }
      tasks.addTask {
        await (isStream ? ending.begun : ending.overdue).wait()
        return .restarting
      }
      if let callerGone {
        tasks.addTask {
          await callerGone.wait()
          return ending.begun.hasFired ? .restarting : .callerGone
        }
      }
      defer { tasks.cancelAll() }
      return await tasks.next() ?? .callerGone
    }
  }

  private func reply(to method: String, after end: CallEnd) -> (ByteBuffer?, VarlinkOutcome) {
    switch end {
    case .served(let reply): (reply, .replied)
    case .failed(is CancellationError), .restarting: (try? coding.encode(Restarting(), of: method), .interrupted)
    case .failed(is CallerGone), .callerGone: (nil, .interrupted)
    case .failed(let error): (reply(to: method, after: error), .failed)
    }
  }

  /// Every error gets an answer. What the interface does not declare is a fault of ours: the log has it, the caller is told no more.
  private func reply(to method: String, after error: any Error) -> ByteBuffer? {
    switch error {
    case let fault as ServiceFault:
      return coding.encode(fault: fault)
    case let fault as any VarlinkFault:
      do { return try coding.encode(fault, of: method) } catch { return internalError(error, in: method) }
    default:
      return internalError(error, in: method)
    }
  }

  private func internalError(_ error: any Error, in method: String) -> ByteBuffer {
    logger.log(.internalFault, "\(method) failed", error: error, metadata: [.method: method])
    return coding.encode(fault: .internalError(method))
  }

  private func unknown(_ method: String) -> ServiceFault {
    let interface = method.lastIndex(of: ".").map { String(method[..<$0]) } ?? ""
    guard let declared = interfaces.first(where: { $0.name == interface }) else { return .interfaceNotFound(interface) }
    let name = method.dropFirst(interface.utf8.count + 1)
    let isDeclared = declared.text.contains("\nmethod \(name)(")
    return isDeclared ? .methodNotImplemented(method) : .methodNotFound(method)
  }
}

extension MessageCoding {
  /// The reply that carries an error of the method's interface.
  fileprivate func encode(_ fault: some VarlinkFault, of method: String) throws -> ByteBuffer {
    let interface = method[..<(method.lastIndex(of: ".") ?? method.endIndex)]
    return try encode(Reply(parameters: fault, error: "\(interface).\(type(of: fault).name)"))
  }

  fileprivate func encode(fault: ServiceFault) -> ByteBuffer {
    // Short strings always encode; a method's name that fills a whole message does not fit back into one.
    (try? encode(Reply(parameters: fault.parameters, error: fault.name))) ?? ByteBuffer(string: "{\"error\":\"\(fault.name)\"}\0")
  }
}

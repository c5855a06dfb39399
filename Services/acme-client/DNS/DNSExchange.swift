import NIOCore
import NIOPosix
import Synchronization

/// One question to one DNS server: over UDP, and where the answer does not fit over TCP (RFC 7766). Each goes out from a port of its own, which the kernel
/// draws, with an id of the system's randomness, so that who does not see it can hardly answer in the server's place (RFC 5452).
///
/// It is spoken here and not left to the C library, whose functions block a thread each, give SERVFAIL and silence the same error, and take no port.
enum DNSExchange {
  /// The socket said so; the server, or the way to it, is not there.
  struct Unreachable: Error {}
  /// There was no answer in time.
  struct TimedOut: Error {}

  /// - Throws: ``Unreachable``, ``TimedOut``, ``DNSMessage/Malformed``, or `CancellationError`.
  static func ask(_ question: DNSMessage.Question, _ server: SocketAddress, limit: Duration) async throws -> DNSMessage {
    let id = UInt16.random(in: 0 ... .max)
    guard let query = DNSMessage.query(question, id: id) else { throw DNSMessage.Malformed() }
    let deadline = ContinuousClock.now + limit
    func exchange(stream: Bool) async throws -> DNSMessage {
      let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
      let answer = DNSAnswer(to: question, id: id, promise: eventLoop.makePromise())
      return try await send(query, to: server, stream: stream, until: deadline, on: eventLoop, for: answer)
    }
    let short = try await exchange(stream: false)
    guard short.isTruncated else { return short }
    let whole = try await exchange(stream: true)
    // Over TCP there is room for everything.
    guard !whole.isTruncated else { throw DNSMessage.Malformed() }
    return whole
  }

  private static func send(
    _ query: [UInt8], to server: SocketAddress, stream: Bool, until deadline: ContinuousClock.Instant, on eventLoop: any EventLoop,
    for answer: DNSAnswer
  ) async throws -> DNSMessage {
    let rest = TimeAmount(max(.milliseconds(1), deadline - .now))
    let limit = eventLoop.scheduleTask(in: rest) { answer.giveUp() }
    let initialize: @Sendable (any Channel) -> EventLoopFuture<Void> = { channel in
      channel.eventLoop.makeCompletedFuture {
        let handler: any ChannelHandler = stream ? DNSStreamHandler(answer) : DNSDatagramHandler(answer)
        try channel.pipeline.syncOperations.addHandler(handler)
      }
    }
    let channel: any Channel
    do {
      channel =
        stream
        ? try await ClientBootstrap(group: eventLoop).connectTimeout(rest).channelInitializer(initialize).connect(to: server).get()
        : try await DatagramBootstrap(group: eventLoop).channelInitializer(initialize).connect(to: server).get()
    } catch {
      limit.cancel()
      answer.fail(Unreachable())
      return try await answer.value()
    }
    defer {
      limit.cancel()
      channel.close(promise: nil)
    }
    return try await withTaskCancellationHandler {
      let buffer = ByteBuffer(bytes: stream ? [UInt8(query.count >> 8), UInt8(query.count & 0xFF)] + query : query)
      if stream {
        channel.writeAndFlush(buffer, promise: nil)
      } else {
        channel.writeAndFlush(AddressedEnvelope(remoteAddress: server, data: buffer), promise: nil)
      }
      return try await answer.value()
    } onCancel: {
      answer.fail(CancellationError())
    }
  }
}

/// The answer to one question, while it is waited for.
private final class DNSAnswer: Sendable {
  private let question: DNSMessage.Question
  private let id: UInt16
  private let promise: EventLoopPromise<DNSMessage>
  /// Something came with the right id that makes no sense.
  private let hasHeardNonsense = Mutex(false)

  init(to question: DNSMessage.Question, id: UInt16, promise: EventLoopPromise<DNSMessage>) {
    (self.question, self.id, self.promise) = (question, id, promise)
  }

  func value() async throws -> DNSMessage { try await promise.futureResult.get() }

  func fail(_ error: any Error) { promise.fail(error) }

  /// The time is over.
  func giveUp() { fail(hasHeardNonsense.withLock(\.self) ? DNSMessage.Malformed() : DNSExchange.TimedOut()) }

  /// - Returns: whether this is the answer. Anything else may be somebody's try, after whom the server comes.
  @discardableResult
  func take(_ bytes: [UInt8]) -> Bool {
    guard let message = try? DNSMessage(bytes) else {
      if DNSMessage.id(of: bytes) == id { hasHeardNonsense.withLock { $0 = true } }
      return false
    }
    guard message.answers(question, id: id) else { return false }
    promise.succeed(message)
    return true
  }
}

private final class DNSDatagramHandler: ChannelInboundHandler {
  typealias InboundIn = AddressedEnvelope<ByteBuffer>

  private let answer: DNSAnswer

  init(_ answer: DNSAnswer) { self.answer = answer }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) { answer.take(Array(unwrapInboundIn(data).data.readableBytesView)) }
  func errorCaught(context: ChannelHandlerContext, error: any Error) { answer.fail(DNSExchange.Unreachable()) }
}

/// Takes the one message that comes over the connection, after its length.
private final class DNSStreamHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let answer: DNSAnswer
  private var bytes: [UInt8] = []

  init(_ answer: DNSAnswer) { self.answer = answer }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    bytes += unwrapInboundIn(data).readableBytesView
    guard bytes.count >= 2 else { return }
    let length = Int(bytes[0]) << 8 | Int(bytes[1])
    guard bytes.count >= length + 2 else { return }
    if !answer.take(Array(bytes[2..<length + 2])) { answer.fail(DNSMessage.Malformed()) }
  }

  func channelInactive(context: ChannelHandlerContext) { answer.fail(DNSExchange.Unreachable()) }
  func errorCaught(context: ChannelHandlerContext, error: any Error) { answer.fail(DNSExchange.Unreachable()) }
}

import NIOCore
import NIOPosix

/// One question to one DNS server: over UDP, and where the answer does not fit over TCP (RFC 7766).
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
    let short = try await exchange(query, with: server, stream: false, deadline: deadline, isAnswer: { $0.id == id && $0.question == question })
    guard short.isTruncated else { return short }
    return try await exchange(query, with: server, stream: true, deadline: deadline, isAnswer: { $0.id == id && $0.question == question })
  }

  private static func exchange(
    _ query: [UInt8], with server: SocketAddress, stream: Bool, deadline: ContinuousClock.Instant, isAnswer: @escaping @Sendable (DNSMessage) -> Bool
  ) async throws -> DNSMessage {
    let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
    let answer = eventLoop.makePromise(of: DNSMessage.self)
    let rest = TimeAmount(max(.milliseconds(1), deadline - .now))
    let limit = eventLoop.scheduleTask(in: rest) { answer.fail(TimedOut()) }
    let initialize: @Sendable (any Channel) -> EventLoopFuture<Void> = { channel in
      channel.eventLoop.makeCompletedFuture {
        let handler: any ChannelHandler =
          stream ? DNSStreamHandler(answer: answer, isAnswer: isAnswer) : DNSDatagramHandler(answer: answer, isAnswer: isAnswer)
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
      return try await answer.futureResult.get()
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
      return try await answer.futureResult.get()
    } onCancel: {
      answer.fail(CancellationError())
    }
  }
}

/// Takes the datagram that is the answer; others are somebody's try.
private final class DNSDatagramHandler: ChannelInboundHandler {
  typealias InboundIn = AddressedEnvelope<ByteBuffer>

  private let answer: EventLoopPromise<DNSMessage>
  private let isAnswer: @Sendable (DNSMessage) -> Bool

  init(answer: EventLoopPromise<DNSMessage>, isAnswer: @escaping @Sendable (DNSMessage) -> Bool) {
    self.answer = answer
    self.isAnswer = isAnswer
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = Array(unwrapInboundIn(data).data.readableBytesView)
    do {
      let message = try DNSMessage(bytes)
      if isAnswer(message) { answer.succeed(message) }
    } catch {
      answer.fail(error)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { answer.fail(DNSExchange.Unreachable()) }
}

/// Takes the one message that comes over the connection, after its length.
private final class DNSStreamHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let answer: EventLoopPromise<DNSMessage>
  private let isAnswer: @Sendable (DNSMessage) -> Bool
  private var bytes: [UInt8] = []

  init(answer: EventLoopPromise<DNSMessage>, isAnswer: @escaping @Sendable (DNSMessage) -> Bool) {
    self.answer = answer
    self.isAnswer = isAnswer
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    bytes += unwrapInboundIn(data).readableBytesView
    guard bytes.count >= 2 else { return }
    let length = Int(bytes[0]) << 8 | Int(bytes[1])
    guard bytes.count >= length + 2 else { return }
    do {
      let message = try DNSMessage(Array(bytes[2..<length + 2]))
      if isAnswer(message) { answer.succeed(message) } else { answer.fail(DNSMessage.Malformed()) }
    } catch {
      answer.fail(error)
    }
  }

  func channelInactive(context: ChannelHandlerContext) { answer.fail(DNSExchange.Unreachable()) }
  func errorCaught(context: ChannelHandlerContext, error: any Error) { answer.fail(DNSExchange.Unreachable()) }
}

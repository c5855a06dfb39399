import Glibc
import NIOCore

/// One end of a connection: whole messages in, one at a time, and out.
final class Connection: Sendable {
  /// Who is at the other end, as far as anyone asked.
  let peer: PeerCredentials?
  /// What the peer sent, until it sends no more. After each, `proceed` lets the next one in.
  let messages: AsyncThrowingStream<ByteBuffer, any Error>
  /// The peer sends no more; it may still read.
  let inputClosed: Signal
  /// The connection is gone.
  let closed: Signal
  private let channel: any Channel
  private let flow: NIOLoopBound<MessageFlow>

  /// Sets up the pipeline of a channel, on its event loop.
  /// - Parameter idle: How long the peer may let us wait for a message, or for its taking one; for ever without it.
  init(on channel: any Channel, peer: PeerCredentials? = nil, messageBytes: Int, idle: Duration? = nil) throws {
    let (messages, continuation) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
    let flow = MessageFlow(messages: continuation, idle: idle.map { TimeAmount($0) })
    try channel.pipeline.syncOperations.addHandlers(ByteToMessageHandler(MessageFraming(limit: messageBytes)), flow)
    self.peer = peer
    self.messages = messages
    self.inputClosed = flow.inputClosed
    self.closed = flow.closed
    self.channel = channel
    self.flow = NIOLoopBound(flow, eventLoop: channel.eventLoop)
  }

  /// One that was accepted and never served, because the server ended, does not stay open.
  deinit { channel.close(promise: nil) }

  /// Sends a message; returns when the kernel has it, which waits for a peer that does not read.
  func send(_ message: ByteBuffer) async throws {
    try await channel.writeAndFlush(message)
  }

  /// The message at hand is done with: the peer may send another.
  func proceed() {
    channel.eventLoop.execute { self.flow.value.proceed() }
  }

  /// Lets nothing more in. What the kernel has taken from the peer is still read, then the messages end; the peer's next write fails, so
  /// that it knows of each call whether it was taken.
  /// - Parameter sparesFresh: Not if the peer has sent no message yet.
  func endInput(sparesFresh: Bool = false) {
    channel.eventLoop.execute { [channel, flow] in
      guard !(sparesFresh && flow.value.isFresh) else { return }
      // Not NIO's half-closure, which forgets what it has not read.
      _ = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { shutdown($0, CInt(SHUT_RD)) }
    }
  }

  /// Closes both directions, at once.
  func close() async {
    channel.close(promise: nil)
    try? await channel.closeFuture.get()
  }

  /// The same from where nobody can wait.
  func abort() { channel.close(promise: nil) }
}

/// Hands messages over one at a time, and watches over the peer's presence.
private final class MessageFlow: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  let inputClosed = Signal()
  let closed = Signal()
  private(set) var isFresh = true
  private let messages: AsyncThrowingStream<ByteBuffer, any Error>.Continuation
  private let idle: TimeAmount?
  private var context: ChannelHandlerContext?
  private var deadline: Scheduled<Void>?
  /// Messages handed over and not yet done with. While there are any, nothing more is read from the socket.
  private var atHand = 0
  private var wantsToRead = false

  init(messages: AsyncThrowingStream<ByteBuffer, any Error>.Continuation, idle: TimeAmount?) {
    self.messages = messages
    self.idle = idle
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    expectProgress()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
    deadline?.cancel()
    inputClosed.fire()
    closed.fire()
    messages.finish()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    isFresh = false
    atHand += 1
    deadline?.cancel()
    messages.yield(Self.unwrapInboundIn(data))
  }

  func read(context: ChannelHandlerContext) {
    if atHand == 0 { context.read() } else { wantsToRead = true }
  }

  func proceed() {
    atHand -= 1
    guard atHand == 0, let context else { return }
    expectProgress()
    guard wantsToRead else { return }
    wantsToRead = false
    context.read()
  }

  func flush(context: ChannelHandlerContext) {
    context.flush()
    if !context.channel.isWritable { expectProgress() }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable, atHand > 0 { deadline?.cancel() }
    context.fireChannelWritabilityChanged()
  }

  /// Only whole messages count: a peer that sends a byte now and then does not hold the connection.
  private func expectProgress() {
    deadline?.cancel()
    guard let idle, let context else { return }
    deadline = context.eventLoop.assumeIsolated().scheduleTask(in: idle) { context.close(promise: nil) }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .some(.inputClosed) = event as? ChannelEvent {
      inputClosed.fire()
      messages.finish()
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    messages.finish(throwing: error)
    context.close(promise: nil)
  }
}

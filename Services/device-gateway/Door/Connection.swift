import NIOCore
import NIOWebSocket

/// Who speaks with the peer of a connection. It is called on the connection's event loop only.
protocol Conversation: AnyObject {
  /// The connection is there, and no word has been said.
  func began(_ connection: Connection)
  /// A whole message came.
  func received(_ text: String)
  /// Nothing more comes, and nothing more can be sent.
  func ended()
}

/// An upgraded connection: whole text messages in and out, pings, limits, and the closing handshake of RFC 6455.
///
/// One handler and one conversation for each connection, no task and no timer of its own once it is logged in: thousands of devices are
/// connected, and most say nothing for weeks.
final class Connection: ChannelInboundHandler {
  typealias InboundIn = WebSocketFrame
  typealias OutboundOut = WebSocketFrame

  let id: ConnectionID
  let origin: Origin
  private let connections: Connections
  private let conversation: any Conversation
  private var context: ChannelHandlerContext?
  private var assembly = MessageAssembly()
  /// Until the login, and again for the closing handshake.
  private var deadline: Scheduled<Void>?
  private var unansweredPings: UInt8 = 0
  private var isClosing = false

  init(_ id: ConnectionID, from origin: Origin, among connections: Connections, conversation: any Conversation) {
    self.id = id
    self.origin = origin
    self.connections = connections
    self.conversation = conversation
  }

  /// Sends a message. A peer that does not read what it is sent is let go.
  ///
  /// - Parameter written: Succeeds when the kernel has taken the message.
  func send(_ text: String, written: EventLoopPromise<Void>? = nil) {
    guard let context, !isClosing else {
      written?.fail(ChannelError.ioOnClosedChannel)
      return
    }
    guard context.channel.isWritable else {
      written?.fail(ChannelError.ioOnClosedChannel)
      return close(.tryAgainLater, "the peer does not read")
    }
    let frame = WebSocketFrame(fin: true, opcode: .text, data: context.channel.allocator.buffer(string: text))
    context.writeAndFlush(wrapOutboundOut(frame), promise: written)
  }

  /// Begins the closing handshake; no further message is taken or sent.
  func close(_ code: WebSocketErrorCode, _ reason: String) {
    guard let context, !isClosing else { return }
    isClosing = true
    sendClose(code, reason, context)
    deadline?.cancel()
    deadline = context.eventLoop.assumeIsolated().scheduleTask(in: connections.limits.closingTime) { context.close(promise: nil) }
  }

  /// The peer has proved who it is: from now on it may be silent.
  func becameKnown() {
    deadline?.cancel()
    deadline = nil
    connections.loggedIn(id)
  }

  /// Asks whether the peer is still there, or gives it up.
  func ping() {
    guard let context, !isClosing else { return }
    guard unansweredPings < 2 else { return context.close(promise: nil) }
    unansweredPings += 1
    context.writeAndFlush(wrapOutboundOut(WebSocketFrame(fin: true, opcode: .ping, data: ByteBuffer())), promise: nil)
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    deadline = context.eventLoop.assumeIsolated().scheduleTask(in: connections.limits.loginTime) { [self] in
      close(.policyViolation, "no login in time")
    }
    connections.opened(id, ConnectionReference(self, eventLoop: context.eventLoop), from: origin)
    conversation.began(self)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    deadline?.cancel()
    deadline = nil
    self.context = nil
    conversation.ended()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    // Whatever it is, somebody sent it.
    unansweredPings = 0
    // Section 5.1: a client masks; section 5.2: no extension was agreed that would give the reserved bits a meaning.
    guard frame.maskKey != nil, !frame.rsv1, !frame.rsv2, !frame.rsv3 else {
      return close(.protocolError, "a frame is not masked, or has a reserved bit")
    }
    switch frame.opcode {
    case .connectionClose: peerCloses(frame, context)
    case _ where isClosing: break
    case .ping:
      let pong = WebSocketFrame(fin: true, opcode: .pong, data: frame.unmaskedData)
      if context.channel.isWritable { context.writeAndFlush(wrapOutboundOut(pong), promise: nil) }
    case .pong: break
    default:
      switch assembly.take(frame, limits: connections.limits) {
      case .incomplete: break
      case .message(let text): conversation.received(text)
      case .violation(let code, let reason): close(code, reason)
      }
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch error {
    case NIOWebSocketError.invalidFrameLength: close(.messageTooLarge, "a message has at most \(connections.limits.messageBytes) bytes")
    case is NIOWebSocketError: close(.protocolError, "that is no WebSocket frame")
    // What comes after the first error is of no interest; the closing handshake has its time.
    case is ByteToMessageDecoderError where isClosing: break
    default: context.close(promise: nil)
    }
  }

  private func peerCloses(_ frame: WebSocketFrame, _ context: ChannelHandlerContext) {
    if !isClosing {
      isClosing = true
      var data = frame.unmaskedData
      // Section 5.5.1: the code is sent back; 1005 stands for none, and is itself never sent.
      sendClose(data.readWebSocketErrorCode() ?? .normalClosure, "", context)
    }
    context.close(promise: nil)
  }

  private func sendClose(_ code: WebSocketErrorCode, _ reason: String, _ context: ChannelHandlerContext) {
    var data = context.channel.allocator.buffer(capacity: 2 + reason.utf8.count)
    data.write(webSocketErrorCode: code)
    data.writeString(reason)
    context.writeAndFlush(wrapOutboundOut(WebSocketFrame(fin: true, opcode: .connectionClose, data: data)), promise: nil)
  }
}

extension WebSocketErrorCode {
  /// 1013, registered with IANA after RFC 6455.
  static let tryAgainLater = WebSocketErrorCode(codeNumber: 1013)
}

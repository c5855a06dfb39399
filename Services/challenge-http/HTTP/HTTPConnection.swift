import NIOCore
import PKI
import ResponderAPI

/// One connection: requests in, answers out, in their order. What does not fit the service is refused, and the connection closed.
final class HTTPConnection: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// How the connection goes on after an answer.
  private enum Sequel {
    case next
    case close
    /// The peer may still be sending: closing at once would reset the connection before it has read the answer (RFC 9112, section 9.6).
    case linger
  }

  /// Its place in a ``ConnectionList``, whose business these are.
  var list: ConnectionList?
  var next: HTTPConnection?
  var previous: HTTPConnection?
  var deadline = NIODeadline.distantFuture

  private let connections: HTTPConnections
  private var context: ChannelHandlerContext?
  /// The beginning of a head that has not all come yet.
  private var unread = ByteBuffer()
  /// The time for a head is running: from the connection's beginning, or from the head's first byte.
  private var isHeadAwaited = true
  /// The last answer is given; what still comes is dropped.
  private var isDone = false
  private var wantsToRead = false

  init(_ connections: HTTPConnections) {
    self.connections = connections
  }

  /// Closes the connection now.
  func close() {
    connections.ended(self)
    context?.close(promise: nil)
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    connections.began(self)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
    connections.ended(self)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  /// A peer that does not read its answers gets no more of them.
  func read(context: ChannelHandlerContext) {
    if context.channel.isWritable { context.read() } else { wantsToRead = true }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    guard wantsToRead, context.channel.isWritable else { return }
    wantsToRead = false
    context.read()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isDone else { return }
    var bytes = Self.unwrapInboundIn(data)
    if unread.readableBytes > 0 {
      unread.writeBuffer(&bytes)
      bytes = unread
      unread = ByteBuffer()
    }
    var answers = connections.takeBuffer()
    var sequel = Sequel.next
    while case .next = sequel, bytes.readableBytes > 0, let following = answerNext(in: &bytes, to: &answers) { sequel = following }
    let hasAnswered = answers.readableBytes > 0
    if hasAnswered { send(answers, then: sequel, context: context) }
    connections.giveBack(answers)
    guard case .next = sequel else { return }

    if bytes.readableBytes == 0 {
      isHeadAwaited = false
      connections.waitForRequest(of: self)
      return
    }
    // A copy, lest a few bytes keep the whole buffer they came in.
    unread = ByteBuffer(buffer: bytes)
    // A head that goes on is given no new time.
    guard !isHeadAwaited || hasAnswered else { return }
    isHeadAwaited = true
    connections.waitForHead(of: self)
  }

  private func send(_ answers: ByteBuffer, then sequel: Sequel, context: ChannelHandlerContext) {
    guard case .next = sequel else {
      isDone = true
      connections.linger(self)
      let mode = if case .linger = sequel { CloseMode.output } else { CloseMode.all }
      context.writeAndFlush(Self.wrapOutboundOut(answers)).assumeIsolated().whenComplete { _ in context.close(mode: mode, promise: nil) }
      return
    }
    context.writeAndFlush(Self.wrapOutboundOut(answers), promise: nil)
  }

  /// Answers the request at the beginning of `bytes`.
  /// - Returns: how the connection goes on; nil if the head is not all there.
  private func answerNext(in bytes: inout ByteBuffer, to answers: inout ByteBuffer) -> Sequel? {
    let longest = connections.limits.headBytes
    switch bytes.withUnsafeReadableBytes({ RequestHead.read(UnsafeRawBufferPointer(rebasing: $0.prefix(longest))) }) {
    case .incomplete where bytes.readableBytes < longest:
      return nil
    case .incomplete:
      refuse(.headTooLarge, isHead: false, sequel: .linger, in: &answers)
      return .linger
    case .malformed:
      refuse(.badRequest, isHead: false, sequel: .linger, in: &answers)
      return .linger
    case .complete(let head):
      let sequel: Sequel = head.hasBody ? .linger : head.keepsAlive && !connections.isEnding ? .next : .close
      answer(head, in: bytes, to: &answers, sequel: sequel)
      bytes.moveReaderIndex(forwardBy: head.length)
      return sequel
    }
  }

  private func answer(_ head: RequestHead, in bytes: ByteBuffer, to answers: inout ByteBuffer, sequel: Sequel) {
    let (isChallenge, token) = bytes.withUnsafeReadableBytes { all -> (Bool, ChallengeToken?) in
      guard let name = ChallengePath.lastPart(ofTarget: all[head.target]) else { return (false, nil) }
      return (true, ChallengeToken(String(decoding: name, as: UTF8.self)))
    }
    let isHead = head.method == .head
    if isChallenge, head.method == .other {
      traceMiss(head, in: bytes, .methodNotAllowed)
      refuse(.methodNotAllowed, isHead: false, sequel: sequel, in: &answers)
    } else if let token, let live = connections.tokens.hit(token, from: visitor(head, in: bytes)) {
      connections.status.writeOK(to: &answers)
      writeConnection(sequel, says: head.saysKeepAlive, to: &answers)
      live.answer.write(to: &answers, withBody: !isHead)
      connections.noteUse()
      connections.hits.answered(
        live, from: visitor(head, in: bytes), host: text(head.host, in: bytes), isHead: isHead)
    } else {
      traceMiss(head, in: bytes, .notFound)
      refuse(.notFound, isHead: isHead, sequel: sequel, says: head.saysKeepAlive, in: &answers)
    }
  }

  /// Who comes. A CA comes from the public Internet: whoever does not, and says for whom it asks, is a reverse proxy here. It is shown and not relied on.
  private func visitor(_ head: RequestHead, in bytes: ByteBuffer) -> String? {
    guard let peer = (context?.remoteAddress?.ipAddress).flatMap({ IPAddress($0) })?.unmapped else { return nil }
    guard let forwarded = head.forwardedFor, peer.purpose != .host, let nearest = text(forwarded, in: bytes).split(separator: ",").last else {
      return peer.description
    }
    return (IPAddress(forwardedFor: nearest) ?? peer).description
  }

  private func text(_ range: Range<Int>?, in bytes: ByteBuffer) -> String {
    range.flatMap { bytes.getString(at: bytes.readerIndex + $0.lowerBound, length: $0.count) } ?? ""
  }

  private func traceMiss(_ head: RequestHead, in bytes: ByteBuffer, _ refusal: Refusal) {
    guard let lease = connections.tokens.tracedLease(of: text(head.host, in: bytes)) else { return }
    connections.hits.missed(
      lease, refusal, from: visitor(head, in: bytes), host: text(head.host, in: bytes),
      method: "\(head.method)".uppercased(), target: text(head.target, in: bytes))
  }

  private func refuse(_ refusal: Refusal, isHead: Bool, sequel: Sequel, says: Bool = false, in answers: inout ByteBuffer) {
    connections.status.write(refusal, to: &answers)
    writeConnection(sequel, says: says, to: &answers)
    refusal.answer.write(to: &answers, withBody: !isHead)
    connections.hits.refused(now: connections.loop.now)
  }

  /// HTTP/1.1 connections stay open unless one side says otherwise, those of HTTP/1.0 close unless both do.
  private func writeConnection(_ sequel: Sequel, says saysKeepAlive: Bool, to answers: inout ByteBuffer) {
    if case .next = sequel {
      if saysKeepAlive { answers.writeStaticString("Connection: keep-alive\r\n") }
    } else {
      answers.writeStaticString("Connection: close\r\n")
    }
  }
}

import NIOCore
import NIOHTTP1

/// Stands before the upgrade: lets those pass who ask for a WebSocket in the right way and place, answers everybody else and closes the connection.
/// It leaves the pipeline with the upgrade.
final class UpgradeGate: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private enum State {
    case waiting
    case passing
    case refusing(HTTPRequestHead, UpgradeVerdict)
    case answered
  }

  private let receive: (HTTPRequestHead) -> UpgradeVerdict
  /// PEM.
  private let connectorCertificate: String
  private var state = State.waiting

  init(connectorCertificate: String, receive: @escaping (HTTPRequestHead) -> UpgradeVerdict) {
    self.connectorCertificate = connectorCertificate
    self.receive = receive
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch (state, unwrapInboundIn(data)) {
    case (.waiting, .head(let head)):
      let verdict = receive(head)
      state = verdict == .webSocket ? .passing : .refusing(head, verdict)
      if verdict == .webSocket { context.fireChannelRead(data) }
    case (.passing, _):
      context.fireChannelRead(data)
    case (.refusing(let head, let verdict), .end):
      state = .answered
      answer(head, verdict, context)
    default:
      break
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  private func answer(_ request: HTTPRequestHead, _ verdict: UpgradeVerdict, _ context: ChannelHandlerContext) {
    let text = verdict == .connectorCertificate ? connectorCertificate : "\(verdict.status.reasonPhrase)\n"
    var head = HTTPResponseHead(version: .http1_1, status: verdict.status)
    head.headers.add(name: "content-type", value: verdict == .connectorCertificate ? "application/x-pem-file" : "text/plain")
    head.headers.add(name: "content-length", value: "\(text.utf8.count)")
    head.headers.add(name: "connection", value: "close")
    if let (name, value) = verdict.hint { head.headers.add(name: name, value: value) }
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if request.method != .HEAD {
      context.write(wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(string: text)))), promise: nil)
    }
    context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolated().whenComplete { _ in context.close(promise: nil) }
  }
}

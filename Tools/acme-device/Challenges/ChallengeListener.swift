import AppWebsocket
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix
import PKI

/// The device's own listener for the CA, `http://<name>/.well-known/acme-challenge/<token>`: what is live is answered, all else is not found.
struct ChallengeListener: Sendable {
  /// More connections than these are closed at once: the CA comes with a few.
  static let mostConnections = 100
  /// How long one connection may last, whatever its peer does.
  static let connectionTime = TimeAmount.seconds(15)

  /// Finds the answer to a request.
  typealias Find = @Sendable (_ host: String?, _ token: ChallengeToken) async -> KeyAuthorization?

  private let channel: any Channel

  /// Listens at an address.
  /// - Throws: ``EnrollError`` when that is not possible.
  static func open(
    _ address: ListenAddress, group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, find: @escaping Find
  ) async throws -> ChallengeListener {
    let places = NIOLockedValueBox(mostConnections)
    do {
      let channel = try await ServerBootstrap(group: group)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelInitializer { channel in
          guard places.take() else { return channel.close() }
          channel.closeFuture.whenComplete { _ in places.giveBack() }
          channel.eventLoop.scheduleTask(in: connectionTime) { channel.close(promise: nil) }
          return channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: false)
            try channel.pipeline.syncOperations.addHandler(ChallengeConversation(find))
          }
        }
        .bind(host: address.host, port: address.port).get()
      return ChallengeListener(channel: channel)
    } catch {
      throw EnrollError("\(address) cannot be listened at for challenges: \((error as? IOError)?.reason ?? "\(error)").")
    }
  }

  /// Where it listens.
  var port: Int? { channel.localAddress?.port }

  /// Takes no more connections.
  func close() async { try? await channel.close() }
}

extension NIOLockedValueBox<Int> {
  fileprivate func take() -> Bool {
    withLockedValue { left in
      guard left > 0 else { return false }
      left -= 1
      return true
    }
  }

  fileprivate func giveBack() { withLockedValue { $0 += 1 } }
}

/// One connection: one request, its answer, and the end.
private final class ChallengeConversation: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let find: ChallengeListener.Find
  private var isAsked = false

  init(_ find: @escaping ChallengeListener.Find) {
    self.find = find
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    // A body is not read, and neither is a second request.
    guard case .head(let head) = unwrapInboundIn(data), !isAsked else { return }
    isAsked = true
    guard let name = Self.lastPart(of: head.uri) else { return respond(.notFound, to: head, on: context) }
    guard [.GET, .HEAD].contains(head.method) else { return respond(.methodNotAllowed, to: head, on: context) }
    guard let token = ChallengeToken(name) else { return respond(.notFound, to: head, on: context) }
    let answer = context.eventLoop.makePromise(of: KeyAuthorization?.self)
    let host = head.headers.first(name: "host").map { String($0.prefix(300)) }
    answer.completeWithTask { [find] in await find(host, token) }
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    answer.futureResult.whenSuccess { found in
      let (conversation, context) = bound.value
      conversation.respond(found == nil ? .notFound : .ok, found?.value ?? "not found\n", to: head, on: context)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private static func lastPart(of target: String) -> String? {
    let path = target.prefix { $0 != "?" && $0 != "#" }
    guard path.hasPrefix(ChallengeToken.folder) else { return nil }
    return String(path.dropFirst(ChallengeToken.folder.count))
  }

  private func respond(_ status: HTTPResponseStatus, _ text: String = "not found\n", to head: HTTPRequestHead, on context: ChannelHandlerContext) {
    var fields: HTTPHeaders = ["Content-Length": "\(text.utf8.count)", "Cache-Control": "no-store", "Connection": "close"]
    fields.add(name: "Content-Type", value: status == .ok ? "application/octet-stream" : "text/plain")
    if status == .methodNotAllowed { fields.add(name: "Allow", value: "GET, HEAD") }
    context.write(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: fields))), promise: nil)
    if head.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil) }
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in bound.value.close(promise: nil) }
  }
}

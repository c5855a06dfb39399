import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// One connection to the CA: a request after the other, each answered as the CA wants.
final class HTTPServer: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let answer: @Sendable (Incoming) async -> Answer
  private var request: Incoming?

  private init(_ answer: @escaping @Sendable (Incoming) async -> Answer) { self.answer = answer }

  /// Listens on loopback with TLS.
  static func listen(
    on port: Int, certificate: [UInt8], key: [UInt8], _ answer: @escaping @Sendable (Incoming) async -> Answer
  ) async throws -> any Channel {
    let tls = try TLSConfiguration.makeServerConfiguration(
      certificateChain: [.certificate(NIOSSLCertificate(bytes: certificate, format: .der))],
      privateKey: .privateKey(NIOSSLPrivateKey(bytes: key, format: .der)))
    let context = try NIOSSLContext(configuration: tls)
    return try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelOption(.backlog, value: 512)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(HTTPServer(answer))
        }
      }
      .bind(host: "127.0.0.1", port: port).get()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): request = Incoming(method: head.method, path: head.uri, headers: head.headers, body: [])
    case .body(let bytes): request?.body += Array(bytes.readableBytesView)
    case .end:
      guard let request else { return }
      Self.serve(request, on: context.channel, answer)
    }
  }

  private static func serve(_ request: Incoming, on channel: any Channel, _ answer: @escaping @Sendable (Incoming) async -> Answer) {
    Task { await write(await answer(request), isHead: request.method == .HEAD, to: channel) }
  }

  private static func write(_ answer: Answer, isHead: Bool, to channel: any Channel) async {
    if answer.delay > .zero { try? await Task.sleep(for: answer.delay) }
    guard answer.delivery != .none else { return channel.close(promise: nil) }
    var headers = answer.headers
    if let omitted = answer.omitted { headers.remove(name: omitted) }
    headers.replaceOrAdd(name: "content-length", value: "\(answer.body.count)")
    let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: answer.status), headers: headers)
    let body = answer.delivery == .half ? answer.body.prefix(answer.body.count / 2) : answer.body[...]
    channel.write(HTTPServerResponsePart.head(head), promise: nil)
    // A client that has seen enough closes the connection; that is its right.
    guard answer.drip == .zero else { return await drip(body, every: answer.drip, to: channel) }
    try? await channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: isHead ? [] : body))))
    guard answer.delivery == .whole else { return channel.close(promise: nil) }
    channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
  }

  private static func drip(_ body: ArraySlice<UInt8>, every pause: Duration, to channel: any Channel) async {
    do {
      for byte in body {
        try await channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: [byte]))))
        try await Task.sleep(for: pause)
      }
      try await channel.writeAndFlush(HTTPServerResponsePart.end(nil))
    } catch {
      channel.close(promise: nil)
    }
  }
}

import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import PKI
import ServiceRuntime

/// One request to one address, as a CA sends it: certificates are not looked at, and no more is read than is needed to know what it is.
enum ProbeRequest {
  /// How much of a body is kept: a CA reads 128 bytes, a login page shows itself in these.
  fileprivate static let mostBody = 8_192
  /// More than these bytes of an answer, head and all, are not read.
  fileprivate static let mostBytes = 65_536

  /// - Parameters:
  ///   - connectLimit: How long a connection may take to come about.
  ///   - limit: How long all of it may take.
  static func get(_ url: ProbeURL, at address: SocketAddress, connectLimit: Duration, limit: Duration) async -> ProbeOutcome {
    let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
    let outcome = eventLoop.makePromise(of: ProbeOutcome.self)
    let timer = eventLoop.scheduleTask(in: TimeAmount(limit)) { outcome.succeed(.failure(.silent)) }
    defer { timer.cancel() }
    let bootstrap = ClientBootstrap(group: eventLoop).connectTimeout(TimeAmount(min(connectLimit, limit))).channelInitializer { channel in
      channel.eventLoop.makeCompletedFuture {
        let pipeline = channel.pipeline.syncOperations
        if url.isSecure {
          var configuration = TLSConfiguration.makeClientConfiguration()
          configuration.certificateVerification = .none
          configuration.minimumTLSVersion = .tlsv12
          let name: String? = if case .name(let name) = url.host { name.value } else { nil }
          try pipeline.addHandler(NIOSSLClientHandler(context: NIOSSLContext(configuration: configuration), serverHostname: name))
        }
        try pipeline.addHandler(ReadLimit())
        try pipeline.addHTTPClientHandlers()
        try pipeline.addHandler(ProbeHandler(isSecure: url.isSecure, outcome: outcome))
      }
    }
    let channel: any Channel
    do {
      channel = try await bootstrap.connect(to: address).get()
    } catch {
      outcome.succeed(.failure(ProbeFailure(connecting: error)))
      return (try? await outcome.futureResult.get()) ?? .failure(.cut)
    }
    defer { channel.close(promise: nil) }
    var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: url.target)
    head.headers = [
      "host": url.authority, "user-agent": "acme-connector/\(Product.version) (doctor)", "accept": "*/*", "connection": "close",
    ]
    channel.write(HTTPClientRequestPart.head(head), promise: nil)
    channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
    return await withTaskCancellationHandler {
      (try? await outcome.futureResult.get()) ?? .failure(.cut)
    } onCancel: {
      outcome.succeed(.failure(.cut))
    }
  }

  /// From which of this machine's addresses the kernel would go to a host; nil if there is no way. Nothing is sent.
  static func source(towards address: IPAddress) async -> IPAddress? {
    guard let host = try? SocketAddress(address, port: 80),
      let channel = try? await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(to: host).get()
    else { return nil }
    defer { channel.close(promise: nil) }
    return channel.localAddress?.host
  }
}

extension ProbeFailure {
  /// Why there was no connection.
  init(connecting error: any Error) {
    switch (error as? IOError)?.errnoCode {
    case ECONNREFUSED: self = .refused
    case ENETUNREACH, EACCES, EPERM, EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL: self = .unreachable(beyond: false)
    case EHOSTUNREACH: self = .unreachable(beyond: true)
    case ECONNRESET: self = .cut
    default: self = .unanswered
    }
  }
}

/// Reads the answer and says what it is.
private final class ProbeHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart

  private let isSecure: Bool
  private let outcome: EventLoopPromise<ProbeOutcome>
  private var head: HTTPResponseHead?
  private var body: [UInt8] = []

  init(isSecure: Bool, outcome: EventLoopPromise<ProbeOutcome>) {
    self.isSecure = isSecure
    self.outcome = outcome
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): self.head = head
    case .body(let part):
      body += part.readableBytesView.prefix(ProbeRequest.mostBody - body.count)
      if body.count == ProbeRequest.mostBody { finish() }
    case .end: finish()
    }
  }

  private func finish() {
    guard let head else { return }
    outcome.succeed(.success(ProbeAnswer(status: Int(head.status.code), headers: head.headers, body: body)))
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    let failure: ProbeFailure =
      switch error {
      case is HTTPParserError, is ReadLimit.Exceeded: head == nil ? .notHTTP : .cut
      case _ where isSecure && head == nil: .noTLS("the handshake fails")
      default: .cut
      }
    outcome.succeed(.failure(failure))
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    outcome.succeed(.failure(isSecure && head == nil ? .noTLS("the connection was closed") : .cut))
  }
}

/// Keeps a server from answering without end.
private final class ReadLimit: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  struct Exceeded: Error {}

  private var count = 0

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    count += unwrapInboundIn(data).readableBytes
    guard count <= ProbeRequest.mostBytes else {
      context.fireErrorCaught(Exceeded())
      return
    }
    context.fireChannelRead(data)
  }
}

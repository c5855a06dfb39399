import Glibc
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket
import PKI

/// Opens WebSocket connections to one connector.
struct GatewayConnector: Sendable {
  /// How long a connection may be silent; the connector sends a ping every 30 seconds.
  private static let silence = TimeAmount.seconds(90)
  /// The most octets of a message (device protocol, "Connection").
  private static let messageSize = 65_536

  private let url: ConnectorURL
  private let trust: Trust
  private let tls: NIOSSLContext?
  private let group: any EventLoopGroup
  /// How long a connection, and the answer to its first request, may take.
  private let patience: TimeAmount

  /// A connector by its URL, and by what it is known.
  /// - Throws: when the file with the authorities cannot be read.
  init(
    _ url: ConnectorURL, trust: Trust, patience: TimeAmount = .seconds(10), group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
  ) throws {
    self.url = url
    self.trust = trust
    self.tls = url.isSecure ? try trust.context() : nil
    self.patience = patience
    self.group = group
  }

  /// Opens a connection.
  func open() async throws(ConnectionError) -> GatewayConnection {
    let mismatch = NIOLockedValueBox<SubjectPublicKeyPin?>(nil)
    let watch = ConnectionWatch()
    do {
      let upgrade = try await ClientBootstrap(group: group)
        .connectTimeout(patience)
        .connect(host: url.host, port: url.port) { channel in
          channel.eventLoop.makeCompletedFuture { (channel, try configure(channel, watch, mismatch)) }
        }
      switch try await result(of: upgrade) {
      case .webSocket(let channel): return GatewayConnection(channel, watch)
      case .refused(let channel): throw ConnectionError.noWebSocket(url, status: await status(of: channel))
      }
    } catch let error as ConnectionError {
      throw error
    } catch {
      if let seen = mismatch.withLockedValue({ $0 }) { throw .wrongKey(seen, at: url) }
      throw explain(watch.firstError ?? error)
    }
  }

  /// The answer to the upgrade. Who takes the connection and then is silent is not waited for longer than one who does not take it, and not at all by
  /// a task that is cancelled.
  private func result(of upgrade: (channel: any Channel, answer: EventLoopFuture<Upgrade>)) async throws -> Upgrade {
    let limit = upgrade.channel.eventLoop.scheduleTask(in: patience) {
      upgrade.channel.pipeline.fireErrorCaught(ConnectionError.unreachable(url, "there is no answer"))
    }
    defer { limit.cancel() }
    return try await withTaskCancellationHandler {
      try await upgrade.answer.get()
    } onCancel: {
      upgrade.channel.close(promise: nil)
    }
  }

  private enum Upgrade: Sendable {
    case webSocket(NIOAsyncChannel<WebSocketFrame, WebSocketFrame>)
    case refused(NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>)
  }

  private func configure(
    _ channel: any Channel, _ watch: ConnectionWatch, _ mismatch: NIOLockedValueBox<SubjectPublicKeyPin?>
  ) throws -> EventLoopFuture<Upgrade> {
    let pipeline = channel.pipeline.syncOperations
    if let tls { try pipeline.addHandler(trust.handler(tls, host: url.host, mismatch: mismatch)) }
    try pipeline.addHandlers(IdleStateHandler(readTimeout: Self.silence), watch)

    let upgrader = NIOTypedWebSocketClientUpgrader<Upgrade>(maxFrameSize: Self.messageSize) { channel, _ in
      channel.eventLoop.makeCompletedFuture {
        let aggregator = NIOWebSocketFrameAggregator(
          minNonFinalFragmentSize: 0, maxAccumulatedFrameCount: 1024, maxAccumulatedFrameSize: Self.messageSize)
        try channel.pipeline.syncOperations.addHandler(aggregator)
        return .webSocket(try NIOAsyncChannel(wrappingChannelSynchronously: channel))
      }
    }
    let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: url.path, headers: ["Host": url.authority, "User-Agent": "acme-device"])
    var configuration = NIOUpgradableHTTPClientPipelineConfiguration(
      upgradeConfiguration: NIOTypedHTTPClientUpgradeConfiguration(upgradeRequestHead: head, upgraders: [upgrader]) { channel in
        channel.eventLoop.makeCompletedFuture { .refused(try NIOAsyncChannel(wrappingChannelSynchronously: channel)) }
      })
    configuration.leftOverBytesStrategy = .forwardBytes
    return try pipeline.configureUpgradableHTTPClientPipeline(configuration: configuration)
  }

  private func status(of channel: NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>) async -> UInt? {
    let status = try? await channel.executeThenClose { parts, _ -> UInt? in
      for try await case .head(let head) in parts { return head.status.code }
      return nil
    }
    return status ?? nil
  }

  private func explain(_ error: any Error) -> ConnectionError {
    switch error {
    case let error as ConnectionError: error
    case NIOSSLError.handshakeFailed(let cause) where "\(cause)".contains("CERTIFICATE_VERIFY_FAILED"):
      .untrusted(url, "it is not from a trusted authority, or not valid now")
    case let error as NIOSSLExtraError where error == .failedToValidateHostname: .untrusted(url, "it is for another name")
    case is NIOSSLError, is NIOSSLExtraError: .unreachable(url, "it does not speak TLS 1.2 or 1.3")
    // The upgrade came to nothing because its answer could not be read.
    case ChannelError.inappropriateOperationForState, is HTTPParserError: .noHTTP(url)
    case let error as NIOConnectionError: .unreachable(url, Self.cause(of: error))
    case ChannelError.connectTimeout: .unreachable(url, "there is no answer")
    case let error as IOError: .unreachable(url, error.reason)
    default: .unreachable(url, "\(error)")
    }
  }

  private static func cause(of error: NIOConnectionError) -> String {
    guard let attempt = error.connectionErrors.first else { return "there is no host of this name" }
    guard let failure = attempt.error as? IOError else { return "\(attempt.error)" }
    return failure.reason
  }
}

extension IOError {
  /// The system's words for the error, without the call that it came from.
  var reason: String { String(cString: strerror(errnoCode)) }
}

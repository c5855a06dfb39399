import NIOCore
import NIOHTTP1
import NIOSSL
import NIOWebSocket

/// Sets up an accepted connection: TLS where it is due, the request head within its limits, and the upgrade.
struct DoorPipeline: Sendable {
  let path: InstancePath
  let connections: Connections
  let proxies: TrustedProxies
  /// What is served in TLS, and the trust anchor for those who ask for it.
  let tls: CurrentTLS
  /// Whether connections are encrypted.
  let isSecure: Bool
  /// For a connection on that event loop.
  let makeConversation: @Sendable (any EventLoop) -> any Conversation

  /// The door is full, or the connection is gone already.
  private struct NotAdmitted: Error {}

  /// Runs on the channel's event loop. When it fails, the connection is closed.
  func setUp(_ channel: any Channel) -> EventLoopFuture<Void> {
    channel.eventLoop.makeCompletedFuture {
      guard let peer = channel.remoteAddress.map({ PeerAddress($0) }), let id = connections.admit(channel, from: proxies.origin(of: peer)) else {
        throw NotAdmitted()
      }
      channel.closeFuture.whenComplete { _ in connections.left(id) }
      let pipeline = channel.pipeline.syncOperations
      let certificate = tls.certificate
      if isSecure { try pipeline.addHandler(NIOSSLServerHandler(context: certificate.context)) }
      try pipeline.addHandler(RequestHeadLimit(limits: connections.limits))
      let gate = UpgradeGate(connectorCertificate: certificate.anchor) {
        UpgradeVerdict($0, from: peer, isSecure: isSecure, isProxy: proxies.contains(peer), path: path)
      }
      // Its result tells nothing that the handlers do not know.
      _ = try pipeline.configureUpgradableHTTPServerPipeline(
        configuration: .init(
          upgradeConfiguration: .init(upgraders: [upgrader(id, peer)], notUpgradingCompletionHandler: { $0.close() })))
      let upgrade = try pipeline.handler(type: NIOTypedHTTPServerUpgradeHandler<Void>.self)
      try pipeline.addHandler(gate, position: .before(upgrade))
    }
  }

  private func upgrader(_ id: ConnectionID, _ peer: PeerAddress) -> NIOTypedWebSocketServerUpgrader<Void> {
    NIOTypedWebSocketServerUpgrader(
      maxFrameSize: connections.limits.messageBytes,
      enableAutomaticErrorHandling: false,
      // The gate has let it pass. No sub-protocol is echoed: no AppWebsocket client offers one.
      shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(HTTPHeaders()) },
      upgradePipelineHandler: { channel, head in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          pipeline.removeHandler(try pipeline.handler(type: RequestHeadLimit.self), promise: nil)
          pipeline.removeHandler(try pipeline.handler(type: UpgradeGate.self), promise: nil)
          try pipeline.addHandler(
            Connection(
              id, from: proxies.origin(of: peer, head.headers), among: connections, conversation: makeConversation(channel.eventLoop)))
        }
      })
  }
}

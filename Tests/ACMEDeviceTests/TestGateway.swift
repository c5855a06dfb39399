import AppWebsocket
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket
import PKI
import Testing

@testable import ACMEDeviceCommand

/// A gateway whose answers a test decides: the real server session over a real WebSocket, and a script in the place of the scheduler.
struct TestGateway: Sendable {
  static let password = "correct horse"

  /// What the script does about a message.
  enum Answer: Sendable {
    case send(String)
    /// Sends a close frame, and ends the connection.
    case close(UInt16)
  }

  /// Decides what is answered to a message; connections count from 1.
  typealias Script = @Sendable (_ message: DeviceMessage, _ correlation: Correlation, _ connection: Int) async throws -> [Answer]

  /// Where it listens.
  let port: Int

  /// Runs `body` while the gateway listens.
  static func serving<Result: Sendable>(
    tls: NIOSSLContext? = nil, path: String = "/connector", _ script: @escaping Script, _ body: @Sendable (TestGateway) async throws -> Result
  ) async throws -> Result {
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .bind(host: "127.0.0.1", port: 0) { channel in
        channel.eventLoop.makeCompletedFuture { try configure(channel, tls, path) }
      }
    let port = try #require(server.channel.localAddress?.port)
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
      defer { tasks.cancelAll() }
      tasks.addTask {
        try await server.executeThenClose { connections in
          await withDiscardingTaskGroup { tasks in
            var number = 0
            do {
              for try await upgrade in connections {
                number += 1
                let count = number
                tasks.addTask { try? await serve(upgrade, count, script) }
              }
            } catch {
              tasks.cancelAll()
            }
          }
        }
      }
      return try await body(TestGateway(port: port))
    }
  }

  private typealias Frames = NIOAsyncChannel<WebSocketFrame, WebSocketFrame>

  private static func configure(_ channel: any Channel, _ tls: NIOSSLContext?, _ path: String) throws -> EventLoopFuture<Frames?> {
    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
    let upgrader = NIOTypedWebSocketServerUpgrader<Frames?>(
      shouldUpgrade: { channel, head in channel.eventLoop.makeSucceededFuture(head.uri == path ? [:] : nil) },
      upgradePipelineHandler: { channel, _ in
        channel.eventLoop.makeCompletedFuture { try Frames(wrappingChannelSynchronously: channel) }
      })
    let upgrade = NIOTypedHTTPServerUpgradeConfiguration<Frames?>(upgraders: [upgrader]) { channel in
      channel.eventLoop.makeCompletedFuture {
        let head = HTTPResponseHead(version: .http1_1, status: .notFound, headers: ["Content-Length": "0", "Connection": "close"])
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
        channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
        return nil
      }
    }
    return try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(configuration: .init(upgradeConfiguration: upgrade))
  }

  private static func serve(_ upgrade: EventLoopFuture<Frames?>, _ number: Int, _ script: @escaping Script) async throws {
    try await upgrade.get()?.executeThenClose { frames, writer in
      let challenge = Challenge(random: 1)
      var session = ServerSession(challenge: challenge)
      for try await frame in frames {
        guard frame.opcode == .text else {
          if frame.opcode == .connectionClose { return }
          continue
        }
        var events: [ServerSession.Event] = [.received(String(buffer: frame.unmaskedData))]
        while !events.isEmpty {
          for action in session.handle(events.removeFirst()) {
            switch action {
            case .send(let text): try await writer.write(WebSocketFrame(fin: true, opcode: .text, data: ByteBuffer(string: text)))
            case .verify(let login, let challenge):
              events.append(.verified(login.isProven(by: password, challenge: challenge) ? .accepted(domain: "test") : .refused))
            case .deliver(let message, let correlation):
              for answer in try await script(message, correlation, number) {
                switch answer {
                case .send(let text): try await writer.write(WebSocketFrame(fin: true, opcode: .text, data: ByteBuffer(string: text)))
                case .close(let code):
                  try await writer.write(WebSocketFrame(fin: true, opcode: .connectionClose, data: ByteBuffer(integer: code)))
                  return
                }
              }
            case .close(let code, _):
              return try await writer.write(WebSocketFrame(fin: true, opcode: .connectionClose, data: ByteBuffer(integer: code.rawValue)))
            case .remark: break
            }
          }
        }
      }
    }
  }
}

/// A TLS server's key and certificate, and the authority that it is from.
struct TestIdentity {
  let key: SigningKey
  let context: NIOSSLContext
  let authorityPEM: String

  init(names: [DNSName], notAfter: Instant) throws {
    key = try SigningKey(.p256)
    let chain = try TestAuthority().issue(key.signingRequest(for: names), notAfter: notAfter)
    authorityPEM = chain.issuers.map(\.pem).joined()
    context = try NIOSSLContext(
      configuration: .makeServerConfiguration(
        certificateChain: [.certificate(NIOSSLCertificate(bytes: chain.leaf.der, format: .der))],
        privateKey: .privateKey(NIOSSLPrivateKey(bytes: Array(key.pem.utf8), format: .pem))))
  }
}

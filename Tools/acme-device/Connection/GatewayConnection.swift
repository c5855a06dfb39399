import AppWebsocket
import NIOCore
import NIOWebSocket

/// One WebSocket connection to the connector (RFC 6455).
struct GatewayConnection: Sendable {
  /// What is sent.
  enum Outgoing: Sendable {
    /// A text message.
    case text(String)
    /// The answer to a ping.
    case pong(ByteBuffer)
    /// A close frame, and the end of the connection.
    case close(CloseCode)
  }

  private let channel: NIOAsyncChannel<WebSocketFrame, WebSocketFrame>
  private let watch: ConnectionWatch

  init(_ channel: NIOAsyncChannel<WebSocketFrame, WebSocketFrame>, _ watch: ConnectionWatch) {
    self.channel = channel
    self.watch = watch
  }

  /// Sends what comes out of `outbox`, hands each text message to `receive` and waits until it is dealt with, until the connection ends.
  func run(_ outbox: Outbox, receive: @Sendable (String) async -> Void) async -> ConnectionEnd {
    do {
      let end = try await channel.executeThenClose { frames, writer in
        try await withThrowingTaskGroup(of: Void.self) { tasks in
          tasks.addTask { try await Self.send(outbox, by: writer, on: channel.channel) }
          let end = try await Self.receive(frames, outbox, receive)
          outbox.finish()
          return end
        }
      }
      if end == .closed(code: nil), let error = watch.firstError { throw error }
      return end
    } catch let error as ConnectionError {
      return .failed(error)
    } catch {
      return .failed(.broken("\(watch.firstError ?? error)"))
    }
  }

  /// Reads until the peer closes; returns what its close frame says, if one came.
  private static func receive(
    _ frames: NIOAsyncChannelInboundStream<WebSocketFrame>, _ outbox: Outbox, _ receive: @Sendable (String) async -> Void
  ) async throws -> ConnectionEnd {
    for try await frame in frames {
      var data = frame.unmaskedData
      switch frame.opcode {
      case .text: await receive(String(buffer: data))
      case .ping: try outbox.put(.pong(data))
      case .connectionClose:
        // Without a code the close frame is empty (RFC 6455, section 5.5.1).
        let code = data.readInteger(as: UInt16.self)
        try? outbox.put(.close(.normal))
        return code == CloseCode.refused.rawValue && String(buffer: data) == CloseCode.replaced ? .replaced : .closed(code: code)
      case .binary: throw ConnectionError.broken("a binary message came")
      default: continue
      }
    }
    return .closed(code: nil)
  }

  private static func send(_ outbox: Outbox, by writer: NIOAsyncChannelOutboundWriter<WebSocketFrame>, on channel: any Channel) async throws {
    for await outgoing in outbox.items {
      switch outgoing {
      case .text(let text): try await writer.write(frame(.text, ByteBuffer(string: text)))
      case .pong(let data): try await writer.write(frame(.pong, data))
      case .close(let code):
        try await writer.write(frame(.connectionClose, ByteBuffer(integer: code.rawValue)))
        channel.close(promise: nil)
        return
      }
    }
  }

  /// A frame as a client sends it: masked (RFC 6455, section 5.3).
  private static func frame(_ opcode: WebSocketOpcode, _ data: ByteBuffer) -> WebSocketFrame {
    WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: data)
  }
}

/// What waits to be sent on one connection; not more than a peer that reads its mail lets pile up.
struct Outbox: Sendable {
  /// What waits, in its order.
  let items: AsyncStream<GatewayConnection.Outgoing>
  private let continuation: AsyncStream<GatewayConnection.Outgoing>.Continuation

  init() {
    (items, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(256))
  }

  /// Puts something in, unless the connection has ended.
  /// - Throws: when too much waits already; then the connection is no good.
  func put(_ outgoing: GatewayConnection.Outgoing) throws(ConnectionError) {
    if case .dropped = continuation.yield(outgoing) { throw .broken("the connector does not read what it is sent") }
  }

  /// Nothing more will be put in.
  func finish() { continuation.finish() }
}

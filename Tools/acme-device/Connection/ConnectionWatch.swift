import NIOConcurrencyHelpers
import NIOCore

/// Stands right behind TLS: closes a connection that has been silent for too long, and remembers the first error, which is the one that tells the cause.
final class ConnectionWatch: ChannelInboundHandler, Sendable {
  typealias InboundIn = ByteBuffer

  private let error = NIOLockedValueBox<(any Error)?>(nil)

  /// What went wrong first.
  var firstError: (any Error)? { error.withLockedValue { $0 } }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    self.error.withLockedValue { $0 = $0 ?? error }
    context.fireErrorCaught(error)
    context.close(promise: nil)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is IdleStateHandler.IdleStateEvent {
      errorCaught(context: context, error: ConnectionError.broken("nothing has come from the connector for too long"))
    } else {
      context.fireUserInboundEventTriggered(event)
    }
  }
}

import NIOCore

/// Bounds what a stranger may send, and how long it may take, until its request is understood. It leaves the pipeline with the upgrade.
final class RequestHeadLimit: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private let time: TimeAmount
  private var bytesLeft: Int
  private var deadline: Scheduled<Void>?

  init(limits: DoorLimits) {
    bytesLeft = limits.headBytes
    time = limits.headTime
  }

  func handlerAdded(context: ChannelHandlerContext) {
    deadline = context.eventLoop.assumeIsolated().scheduleTask(in: time) { context.close(promise: nil) }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    deadline?.cancel()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    bytesLeft -= unwrapInboundIn(data).readableBytes
    guard bytesLeft >= 0 else { return context.close(promise: nil) }
    context.fireChannelRead(data)
  }
}

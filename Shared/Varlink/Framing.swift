import NIOCore

/// Splits the byte stream into messages, each of which ends with a NUL byte (varlink.org, "Method Call").
struct MessageFraming: ByteToMessageDecoder {
  typealias InboundOut = ByteBuffer

  /// The peer sent more than a message may have.
  struct TooLong: Error {}

  private let limit: Int
  /// How far the search for the NUL has come: a slow sender must not cost quadratic time.
  private var searched = 0

  init(limit: Int) {
    self.limit = limit
  }

  mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
    let view = buffer.readableBytesView
    guard let end = view.dropFirst(searched).firstIndex(of: 0) else {
      searched = view.count
      guard searched <= limit else { throw TooLong() }
      return .needMoreData
    }
    let length = view.distance(from: view.startIndex, to: end)
    guard length <= limit, let message = buffer.readSlice(length: length) else { throw TooLong() }
    buffer.moveReaderIndex(forwardBy: 1)
    searched = 0
    context.fireChannelRead(Self.wrapInboundOut(message))
    return .continue
  }

  /// A message without its NUL is no message: what is left at the end of the stream is dropped.
  mutating func decodeLast(context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool) throws -> DecodingState {
    if buffer.readableBytes == 0 { return .needMoreData }
    let state = try decode(context: context, buffer: &buffer)
    if case .needMoreData = state { buffer.clear() }
    return state
  }
}

import NIOCore
import NIOWebSocket

/// Puts text messages together from their fragments (RFC 6455, section 5.4), within the limits.
struct MessageAssembly {
  /// What a frame leads to.
  enum Outcome: Equatable {
    /// The message goes on.
    case incomplete
    case message(String)
    /// The connection is closed with this code.
    case violation(WebSocketErrorCode, String)
  }

  private var partial: ByteBuffer?
  private var fragments = 0

  /// Takes a data frame: text, binary or continuation.
  mutating func take(_ frame: WebSocketFrame, limits: DoorLimits) -> Outcome {
    var data = frame.unmaskedData
    switch (frame.opcode, partial) {
    case (.text, nil):
      guard data.readableBytes <= limits.messageBytes else { return tooLarge(limits) }
      if frame.fin { return text(of: data) }
      partial = data
      fragments = 1
    case (.continuation, var collected?):
      fragments += 1
      guard collected.readableBytes + data.readableBytes <= limits.messageBytes else { return tooLarge(limits) }
      guard fragments <= limits.fragments else {
        partial = nil
        return .violation(.messageTooLarge, "a message has at most \(limits.fragments) fragments")
      }
      partial = nil
      collected.writeBuffer(&data)
      if frame.fin { return text(of: collected) }
      partial = collected
    case (.binary, _):
      return .violation(.unacceptableData, "only text messages are understood")
    case (.text, _?):
      return .violation(.protocolError, "a message begins inside another one")
    default:
      return .violation(.protocolError, "there is no message to go on with")
    }
    return .incomplete
  }

  private func text(of data: ByteBuffer) -> Outcome {
    guard let text = String(validating: data.readableBytesView, as: UTF8.self) else {
      return .violation(.dataInconsistentWithMessage, "the message is not UTF-8")
    }
    return .message(text)
  }

  private mutating func tooLarge(_ limits: DoorLimits) -> Outcome {
    partial = nil
    return .violation(.messageTooLarge, "a message has at most \(limits.messageBytes) bytes")
  }
}

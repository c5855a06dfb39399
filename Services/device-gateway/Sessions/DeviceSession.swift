import AppWebsocket
import DeviceGatewayAPI
import Logging
import Metrics
import NIOConcurrencyHelpers
import NIOCore
import NIOWebSocket
import PKI
import SchedulerAPI
import ServiceRuntime
import Telemetry

/// The session of one connection: drives the protocol's state machine, has the door opened for those who prove a secret, and passes requests on
/// one after the other.
///
/// It lives on the connection's event loop and is called nowhere else.
final class DeviceSession: Conversation {
  let context: SessionContext
  let eventLoop: any EventLoop
  var protocolSession = ServerSession(challenge: Challenge(random: .random(in: .min ... .max)))
  var connection: Connection?
  /// Nil before the login.
  var visitor: Visitor?
  var errands = ErrandLine()
  private var noise = LineAMinute()
  var correlations = Correlations()
  /// That of `RegisterDevice`; nil if the device has not sent it.
  var registration: Correlation?
  var lookups = LookupAllowance()

  init(in context: SessionContext, on eventLoop: any EventLoop) {
    self.context = context
    self.eventLoop = eventLoop
  }

  func began(_ connection: Connection) {
    self.connection = connection
  }

  func ended() {
    connection = nil
    errands = ErrandLine()
    if let visitor {
      if let device = context.devices.left(visitor.reference) { context.attendance.left(device) }
      context.challenges.left(visitor.reference)
    }
    visitor = nil
  }

  /// Each message begins a story of its own.
  func received(_ text: String) {
    TraceContext.$current.withValue(.make()) {
      trace("in", text)
      perform(protocolSession.handle(.received(text)))
    }
  }

  func send(_ text: String, written: EventLoopPromise<Void>? = nil) {
    trace("out", text)
    guard let connection else {
      written?.fail(ChannelError.ioOnClosedChannel)
      return
    }
    connection.send(text, written: written)
  }

  private func trace(_ direction: String, _ text: String) {
    context.logger.trace(
      .appWebsocket, isOn: context.devices.isTraced(visitor?.device), "\(direction): \(MessageTrace(text))", metadata: metadata)
  }

  func close(_ code: CloseCode, _ reason: String) {
    connection?.close(WebSocketErrorCode(codeNumber: Int(code.rawValue)), reason)
  }

  func perform(_ actions: [ServerSession.Action]) {
    for action in actions {
      switch action {
      case .send(let text): send(text)
      case .verify(let login, let challenge): verify(login, challenge)
      case .deliver(let message, let correlation): take(message, correlation)
      case .remark(let remark): sparingly { context.logger.notice("\(remark)", metadata: $0) }
      case .close(let code, let reason): close(code, reason)
      }
    }
  }

  /// Only so much is written as nobody can fill a disk with: of all strangers together, and of each device.
  func sparingly(_ write: (LogFields) -> Void) {
    guard let unsaid = visitor == nil ? context.strangersNoise.withLockedValue({ $0.take(at: .now) }) : noise.take(at: .now) else { return }
    write(unsaid > 0 ? metadata.merging([.unsaid: unsaid]) : metadata)
  }

  var metadata: LogFields {
    [
      .device: visitor?.device, .peer: connection?.origin.address, .login: visitor?.reference.login, .sip: visitor?.identity.sip,
    ]
  }
}

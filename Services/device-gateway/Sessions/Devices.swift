import AppWebsocket
import NIOConcurrencyHelpers
import NIOCore
import SchedulerAPI
import Telemetry

/// A session as other threads know it. Two are equal when they are the same connection's.
struct SessionReference: Hashable, Sendable {
  let id: ConnectionID
  let login: LoginName
  /// By which it came in.
  let secret: LoginSecret
  private let eventLoop: any EventLoop
  private let session: NIOLoopBound<DeviceSession>

  /// Made on the connection's event loop.
  init(_ session: DeviceSession, id: ConnectionID, login: LoginName, secret: LoginSecret, eventLoop: any EventLoop) {
    self.id = id
    self.login = login
    self.secret = secret
    self.eventLoop = eventLoop
    self.session = NIOLoopBound(session, eventLoop: eventLoop)
  }

  /// Has something done with the session on its event loop.
  func perform(_ body: @escaping @Sendable (DeviceSession) -> Void) {
    eventLoop.execute { body(session.value) }
  }

  static func == (left: SessionReference, right: SessionReference) -> Bool { left.id == right.id }

  func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

/// All sessions that are logged in as devices, and who is who. Event loops come here, so it is a lock and no actor.
final class Devices: Sendable {
  private struct State {
    var table = DeviceTable<SessionReference>()
    var settings: DeviceSettings?
    var tracing = TraceSelection()
  }

  private let state = NIOLockedValueBox(State())

  /// Lets a session in if it may come in, which is asked when it can be found: whatever ends its login either comes before and is seen, or comes
  /// after and closes it.
  func enter(_ session: SessionReference, if mayEnter: () -> Bool) -> Bool {
    state.withLockedValue { $0.table.entered(session) }
    let isIn = mayEnter()
    if !isIn { left(session) }
    return isIn
  }

  /// - Returns: the device that is connected no more.
  @discardableResult
  func left(_ session: SessionReference) -> DeviceID? { state.withLockedValue { $0.table.left(session) } }

  /// The devices that are connected.
  var connected: [DeviceID] { state.withLockedValue { Array($0.table.connected) } }

  func contains(_ session: SessionReference) -> Bool { state.withLockedValue { $0.table.contains(session) } }

  /// Whether the messages of a device are traced; nil stands for one that is not known yet.
  func isTraced(_ device: DeviceID?) -> Bool { state.withLockedValue { $0.tracing.contains(device?.rawValue) } }

  func registrationBegan() { state.withLockedValue { $0.table.registrationBegan() } }

  func registrationEnded() { state.withLockedValue { $0.table.registrationEnded() } }

  func registered(_ session: SessionReference, as device: DeviceID) {
    let (older, early) = state.withLockedValue { $0.table.registered(session, as: device) }
    older?.perform { $0.close(.refused, CloseCode.replaced) }
    for news in early { session.perform { $0.deliver(news) } }
  }

  /// The scheduler knows nobody yet, or no longer: everyone is registered again.
  func registerAll() {
    for session in state.withLockedValue(\.table.all) { session.perform { $0.registerAgain() } }
  }

  /// Takes what the scheduler tells to whom it is for.
  func route(_ item: SchedulerMethods.Watch.Reply) {
    if let tracing = item.tracing { state.withLockedValue { $0.tracing = tracing } }
    let news = item.request.map(DeviceNews.request) ?? item.renewal.map(DeviceNews.renewal) ?? item.alarm.map(DeviceNews.alarm)
    switch (item.device, news, item.settings) {
    case (let device?, let news?, _):
      state.withLockedValue { $0.table.session(of: device, for: news) }?.perform { $0.deliver(news) }
    case (let device?, nil, let settings?):
      state.withLockedValue { $0.table.session(of: device) }?.perform { $0.deliver(settings) }
    case (nil, _, let settings?):
      let concerned = state.withLockedValue { state in
        // The stream begins with the settings as they are: news only to those who were told others.
        defer { state.settings = settings }
        return state.settings == settings ? [] : state.table.all
      }
      for session in concerned { session.perform { $0.deliver(settings) } }
    default:
      break
    }
  }

  /// Closes what came in by a login, or by a secret of it, that is no more.
  func close(where hasEnded: (SessionReference) -> Bool) {
    for session in state.withLockedValue(\.table.all) where hasEnded(session) {
      session.perform { $0.close(.refused, "the login has ended") }
    }
  }
}

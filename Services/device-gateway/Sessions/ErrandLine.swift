import AppWebsocket
import Telemetry

/// The errands of one connection, one after the other, and what the scheduler tells the device meanwhile: it waits for the answer, so that a
/// device hears of no request before its id.
struct ErrandLine {
  /// An errand, and whom its outcome answers.
  struct Item {
    let errand: Errand
    /// The message that is answered; nil when the errand is the gateway's own.
    let message: MessageName?
    let correlation: Correlation
    let trace: TraceContext
  }

  /// What follows when an errand has ended.
  enum Sequel {
    case run(Item)
    /// Nothing is left to do, and this has waited.
    case tell([DeviceNews])
  }

  /// What becomes of news.
  enum Hearing {
    case tell
    case held
    /// More than a device may have waiting.
    case full
  }

  /// The first is under way, the others wait.
  private var items: [Item] = []
  private var held = HeldNews()

  var count: Int { items.count }

  /// Whether the gateway's own registration of the device has yet to begin.
  var isRegistrationWaiting: Bool { items.dropFirst().contains { $0.errand.isRegistration && $0.message == nil } }

  /// Takes one more.
  /// - Returns: the one to run now, if none is under way.
  mutating func add(_ item: Item) -> Item? {
    items.append(item)
    return items.count == 1 ? item : nil
  }

  /// The one under way has ended.
  /// - Returns: which it was, and what follows; nil if none was under way.
  mutating func finish() -> (done: Item, sequel: Sequel)? {
    guard !items.isEmpty else { return nil }
    let done = items.removeFirst()
    return (done, items.first.map(Sequel.run) ?? .tell(held.release()))
  }

  /// The scheduler has something to tell the device.
  mutating func hear(_ news: DeviceNews) -> Hearing {
    guard !items.isEmpty else { return .tell }
    return held.hold(news) ? .held : .full
  }
}

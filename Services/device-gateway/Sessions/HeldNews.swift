import SchedulerAPI

/// What the scheduler tells one device.
enum DeviceNews: Sendable, Hashable {
  /// A request has come further.
  case request(RequestView)
  /// A new CSR is wanted.
  case renewal(RenewalWish)
  /// An alarm of it stands, or is over.
  case alarm(DeviceAlarm)

  /// Of news about the same only the newest counts.
  func isAboutSame(as other: DeviceNews) -> Bool {
    switch (self, other) {
    case (.request(let one), .request(let another)): one.id == another.id
    case (.renewal(let one), .renewal(let another)): one.slot == another.slot
    case (.alarm(let one), .alarm(let another)): one.code == another.code && one.text == another.text
    default: false
    }
  }
}

/// What came from the scheduler while an errand is run. It is told after the answer: a device shall not hear of a request before its id.
struct HeldNews {
  static let capacity = 64

  private var news: [DeviceNews] = []

  /// Keeps news.
  ///
  /// - Returns: Whether there was room.
  mutating func hold(_ item: DeviceNews) -> Bool {
    news.removeAll(where: item.isAboutSame)
    guard news.count < Self.capacity else { return false }
    news.append(item)
    return true
  }

  /// All of it, in the order in which it came.
  mutating func release() -> [DeviceNews] {
    defer { news = [] }
    return news
  }
}

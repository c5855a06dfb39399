import PKI
import SchedulerAPI

/// What others look at while it changes: requests, settings, events. Published in the order in which it was stored.
struct Watched: Sendable {
  /// A request in its new state, or new settings for all.
  typealias Change = SchedulerMethods.Watch.Reply

  /// Enough for every device of a large fleet to change once while a reader pauses.
  static let longestQueue = 10_000

  /// What goes to devices.
  let changes: Subscriptions<Change>
  /// Says that there are new events in the store.
  let events = Subscriptions<Void>(capacity: nil)

  init(longestQueue: Int = Watched.longestQueue) {
    changes = Subscriptions(capacity: longestQueue)
  }
}

import AppWebsocket
import SchedulerAPI

/// What later news of a request echoes until the connection ends: `src` and `api` of the message that asked for it. Only so many are kept, the
/// latest.
struct Correlations {
  static let capacity = 64

  private var kept: [(request: RequestID, correlation: Correlation)] = []

  /// `none` for a request of another connection.
  subscript(request: RequestID) -> Correlation {
    kept.first { $0.request == request }?.correlation ?? .none
  }

  mutating func remember(_ correlation: Correlation, of request: RequestID) {
    kept.removeAll { $0.request == request }
    guard correlation != .none else { return }
    kept.append((request, correlation))
    if kept.count > Self.capacity { kept.removeFirst() }
  }
}

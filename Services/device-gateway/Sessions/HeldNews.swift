import SchedulerAPI

/// What came from the scheduler while an errand is run. It is told after the answer: a device shall not hear of a request before its id.
struct HeldNews {
  static let capacity = 64

  private var requests: [RequestView] = []

  /// Keeps a request's new state; of one request only the newest counts.
  ///
  /// - Returns: Whether there was room.
  mutating func hold(_ request: RequestView) -> Bool {
    requests.removeAll { $0.id == request.id }
    guard requests.count < Self.capacity else { return false }
    requests.append(request)
    return true
  }

  /// All of it, in the order in which it came.
  mutating func release() -> [RequestView] {
    defer { requests = [] }
    return requests
  }
}

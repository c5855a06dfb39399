import Synchronization

/// How long each responder is waited for: one that was silent to the end delays the order that found it out, and for a while hardly any other.
///
/// It is asked all the same, and what it says in time counts. One without which the CA cannot be satisfied, by its own word, is always waited for.
final class ResponderPatience: Sendable {
  /// How long an order waits for all of them to put an answer in place.
  static let ofOrders = Duration.seconds(10)
  /// How long the doctor does: no CA is waiting.
  static let ofProbes = Duration.seconds(3)
  /// How long one that was silent is waited for.
  static let short = Duration.milliseconds(500)
  /// How long that lasts; then it is trusted anew.
  static let memory = Duration.seconds(60)

  private struct State {
    var silentSince: [String: ContinuousClock.Instant] = [:]
    var required: Set<String> = []
  }

  /// How long one is waited for that is trusted.
  let full: Duration
  private let state = Mutex(State())

  init(full: Duration) {
    self.full = full
  }

  /// How long to wait for a responder now.
  func limit(for responder: String, at now: ContinuousClock.Instant = .now) -> Duration {
    state.withLock { state in
      guard let since = state.silentSince[responder], now - since < Self.memory, !state.required.contains(responder) else { return full }
      return Self.short
    }
  }

  /// It has answered.
  func answered(_ responder: String, required: Bool) {
    state.withLock { state in
      state.silentSince[responder] = nil
      if required { state.required.insert(responder) }
    }
  }

  /// It was silent to the end.
  func wasSilent(_ responder: String, at now: ContinuousClock.Instant = .now) {
    state.withLock { state in
      // Silence while it is waited for only shortly does not prolong that: it gets its chance.
      if let since = state.silentSince[responder], now - since < Self.memory { return }
      state.silentSince[responder] = now
    }
  }
}

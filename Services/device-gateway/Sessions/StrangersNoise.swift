import NIOConcurrencyHelpers

/// What those who are not logged in have the gateway write into its log: a line a minute, which tells how many were left out before it.
final class StrangersNoise: Sendable {
  private struct State {
    var lastLine: ContinuousClock.Instant?
    var unsaid = 0
  }

  private static let pause = Duration.seconds(60)

  private let state = NIOLockedValueBox(State())

  /// How many lines were left out since the last one; nil when this one is left out too.
  func take(at now: ContinuousClock.Instant) -> Int? {
    state.withLockedValue { state in
      if let last = state.lastLine, now < last + Self.pause {
        state.unsaid += 1
        return nil
      }
      defer { state = State(lastLine: now) }
      return state.unsaid
    }
  }
}

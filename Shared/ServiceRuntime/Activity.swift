import Synchronization

/// What this process has under way, so that it ends only when it has nothing.
///
/// Every call over Varlink is counted by itself. What goes on without a caller (an order that runs on, tokens that must be served) begins and ends
/// an activity of its own.
public final class Activity: Sendable {
  private struct State {
    var underWay = 0
    /// When the last activity ended, or the process began.
    var quietSince: Duration
  }

  private let state: Mutex<State>
  private let elapsed: @Sendable () -> Duration
  private let sleep: @Sendable (_ until: Duration) async throws -> Void
  private let quiet = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

  /// - Parameter clock: What idle time is measured by.
  public init<C: Clock>(clock: C = ContinuousClock()) where C.Duration == Duration {
    let origin = clock.now
    elapsed = { origin.duration(to: clock.now) }
    sleep = { try await clock.sleep(until: origin.advanced(by: $0), tolerance: nil) }
    state = Mutex(State(quietSince: .zero))
  }

  /// One more thing is under way. Each `begin` needs its `end`.
  public func begin() {
    state.withLock { $0.underWay += 1 }
  }

  /// One thing less is under way.
  public func end() {
    let now = elapsed()
    let isQuiet = state.withLock { state in
      state.underWay = max(0, state.underWay - 1)
      state.quietSince = now
      return state.underWay == 0
    }
    if isQuiet { quiet.continuation.yield() }
  }

  /// Something happened that was over at once.
  public func touch() {
    begin()
    end()
  }

  /// Returns when nothing has been under way for as long as the limit. It wakes when the last activity ends and when the limit may be over,
  /// not in between. For one caller at a time.
  func idle(for limit: Duration) async throws {
    var ends = quiet.stream.makeAsyncIterator()
    while true {
      guard let since = quietSince else {
        guard await ends.next() != nil else { throw CancellationError() }
        continue
      }
      if elapsed() >= since + limit { return }
      try await sleep(since + limit)
    }
  }

  private var quietSince: Duration? { state.withLock { $0.underWay == 0 ? $0.quietSince : nil } }
}

import PKI
import Synchronization

/// A clock that stands still until a test moves it. It is the wall clock too.
final class ManualClock: Clock {
  struct Instant: InstantProtocol {
    let offset: Duration

    func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
    func duration(to other: Instant) -> Duration { other.offset - offset }
    static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
  }

  private struct State {
    var now = Instant(offset: .zero)
    var sleepers: [Int: (deadline: Instant, continuation: CheckedContinuation<Void, any Error>)] = [:]
    var next = 0
    var watchers: [AsyncStream<Void>.Continuation] = []
  }

  private let state = Mutex(State())

  var now: Instant { state.withLock(\.now) }
  var minimumResolution: Duration { .nanoseconds(1) }

  /// The time of day: some moment in 2026, plus how far the clock was moved.
  var wallClock: WallClock {
    WallClock { PKI.Instant(milliseconds: 1_790_000_000_000) + self.now.offset }
  }

  func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    let number = state.withLock { state in
      defer { state.next += 1 }
      return state.next
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let outcome: Result<Void, any Error>? = state.withLock { state in
          if Task.isCancelled { return .failure(CancellationError()) }
          if deadline <= state.now { return .success(()) }
          state.sleepers[number] = (deadline, continuation)
          for watcher in state.watchers { watcher.yield() }
          return nil
        }
        if let outcome { continuation.resume(with: outcome) }
      }
    } onCancel: {
      let sleeper = state.withLock { $0.sleepers.removeValue(forKey: number) }
      sleeper?.continuation.resume(throwing: CancellationError())
    }
  }

  /// How long the first has to sleep that is to wake within `limit`, as soon as there is one.
  func nextPause(within limit: Duration) async throws -> Duration {
    let (sleeps, watcher) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    watcher.yield()
    state.withLock { $0.watchers.append(watcher) }
    for await _ in sleeps {
      let pause = state.withLock { state in state.sleepers.values.map { state.now.duration(to: $0.deadline) }.min() }
      if let pause, pause <= limit { return pause }
    }
    throw CancellationError()
  }

  func advance(by duration: Duration) {
    let woken = state.withLock { state in
      state.now = state.now.advanced(by: duration)
      let due = state.sleepers.filter { $0.value.deadline <= state.now }
      for number in due.keys { state.sleepers[number] = nil }
      return due.values.map(\.continuation)
    }
    for continuation in woken { continuation.resume() }
  }
}

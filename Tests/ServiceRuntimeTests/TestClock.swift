import Synchronization

/// A clock that stands still until it is moved.
final class TestClock: Clock {
  struct Instant: InstantProtocol {
    var offset: Duration
    func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
    func duration(to other: Instant) -> Duration { other.offset - offset }
    static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
  }

  private struct Sleeper {
    let id: UInt64
    let deadline: Instant
    let wake: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var now = Instant(offset: .zero)
    var sleepers: [Sleeper] = []
  }

  private let state = Mutex(State())
  private let fallenAsleep = AsyncStream.makeStream(of: Duration.self)

  var now: Instant { state.withLock { $0.now } }
  var minimumResolution: Duration { .zero }

  func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    let id = UInt64.random(in: 0 ... .max)
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        state.withLock { $0.sleepers.append(Sleeper(id: id, deadline: deadline, wake: continuation)) }
        fallenAsleep.continuation.yield(deadline.offset)
        if Task.isCancelled { wake(throwing: CancellationError()) { $0.id == id } }
      }
    } onCancel: {
      wake(throwing: CancellationError()) { $0.id == id }
    }
  }

  /// Waits until someone sleeps, and tells until when.
  func nextDeadline() async -> Duration? { await fallenAsleep.stream.first { _ in true } }

  func advance(by duration: Duration) {
    let now = state.withLock { state in
      state.now = state.now.advanced(by: duration)
      return state.now
    }
    wake { $0.deadline <= now }
  }

  private func wake(throwing error: (any Error)? = nil, where isDue: (Sleeper) -> Bool) {
    let due = state.withLock { state in
      defer { state.sleepers.removeAll(where: isDue) }
      return state.sleepers.filter(isDue)
    }
    for sleeper in due {
      if let error { sleeper.wake.resume(throwing: error) } else { sleeper.wake.resume() }
    }
  }
}

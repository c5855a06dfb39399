import NIOConcurrencyHelpers

/// Something that happens once and that any number of tasks may wait for.
final class Signal: Sendable {
  private struct State {
    var fired = false
    var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    var next = 0
  }

  private let state = NIOLockedValueBox(State())

  var hasFired: Bool { state.withLockedValue(\.fired) }

  func fire() {
    let waiting = state.withLockedValue { state in
      state.fired = true
      defer { state.waiting = [:] }
      return state.waiting
    }
    for continuation in waiting.values { continuation.resume() }
  }

  /// Returns when the signal has fired, or at once when the waiting task is cancelled.
  func wait() async {
    let number = state.withLockedValue { state in
      defer { state.next += 1 }
      return state.next
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let over = state.withLockedValue { state in
          if state.fired || Task.isCancelled { return true }
          state.waiting[number] = continuation
          return false
        }
        if over { continuation.resume() }
      }
    } onCancel: {
      state.withLockedValue { $0.waiting.removeValue(forKey: number) }?.resume()
    }
  }
}

import Synchronization

/// One task that waits for one value. A task that is cancelled waits no more, and a value is then refused, so that whoever gives it can give
/// it to the next.
final class Waiter<Value: Sendable>: Sendable {
  private enum State: Sendable {
    case fresh
    case waiting(CheckedContinuation<Value?, Never>)
    case given(Value)
    case over
  }

  private let state = Mutex(State.fresh)

  /// Waits for the value. Call it once.
  func value() async throws -> Value {
    let value = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let early: Value?? = state.withLock { state in
          switch state {
          case .given(let value):
            state = .over
            return .some(value)
          case .fresh:
            state = .waiting(continuation)
            return nil
          case .waiting, .over:
            return .some(nil)
          }
        }
        if let early { continuation.resume(returning: early) }
      }
    } onCancel: {
      let continuation: CheckedContinuation<Value?, Never>? = state.withLock { state in
        switch state {
        case .fresh:
          state = .over
          return nil
        case .waiting(let continuation):
          state = .over
          return continuation
        case .given, .over:
          return nil
        }
      }
      continuation?.resume(returning: nil)
    }
    guard let value else { throw CancellationError() }
    return value
  }

  /// Gives the value.
  /// - Returns: whether it was taken; a cancelled task takes nothing.
  func give(_ value: Value) -> Bool {
    let (isTaken, continuation): (Bool, CheckedContinuation<Value?, Never>?) = state.withLock { state in
      switch state {
      case .fresh:
        state = .given(value)
        return (true, nil)
      case .waiting(let continuation):
        state = .over
        return (true, continuation)
      case .given, .over:
        return (false, nil)
      }
    }
    continuation?.resume(returning: value)
    return isTaken
  }
}

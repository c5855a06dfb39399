import Synchronization

/// The nonces of one CA that are not used yet (RFC 8555, section 6.5). Each reply brings one for the next request; only when none is left is
/// one asked for, and by few at a time: Let's Encrypt counts requests for nonces.
final class NoncePool: Sendable {
  /// More than these are never needed at once; the oldest goes, for it is the first that the CA forgets.
  static let capacity = 64
  /// How many requests for a nonce are under way at a time.
  static let fetchesAtATime = 4

  private struct State {
    var nonces: [Nonce] = []
    var fetching = 0
    var waiting: [Waiter<Nonce?>] = []
  }

  private let state = Mutex(State())

  /// Takes the youngest nonce; where there is none, asks for one by `fetch`, or waits for one that another request brings.
  func take(otherwise fetch: () async throws -> Nonce) async throws -> Nonce {
    while true {
      switch state.withLock({ Self.next(of: &$0) }) {
      case .nonce(let nonce):
        return nonce
      case .wait(let waiter):
        // Nothing is given to the first in line when a fetch has failed: then it fetches.
        if let nonce = try await waiter.value() { return nonce }
      case .fetch:
        defer { fetchEnded() }
        return try await fetch()
      }
    }
  }

  /// Puts a nonce in that a reply has brought.
  func put(_ nonce: Nonce) {
    while let waiter = state.withLock({ $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }) {
      if waiter.give(nonce) { return }
    }
    state.withLock { state in
      if state.nonces.count == Self.capacity { state.nonces.removeFirst() }
      state.nonces.append(nonce)
    }
  }

  private enum Step {
    case nonce(Nonce)
    case fetch
    case wait(Waiter<Nonce?>)
  }

  private static func next(of state: inout State) -> Step {
    if let nonce = state.nonces.popLast() { return .nonce(nonce) }
    guard state.fetching == fetchesAtATime else {
      state.fetching += 1
      return .fetch
    }
    let waiter = Waiter<Nonce?>()
    state.waiting.append(waiter)
    return .wait(waiter)
  }

  private func fetchEnded() {
    state.withLock { $0.fetching -= 1 }
    while let waiter = state.withLock({ $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }) {
      if waiter.give(nil) { return }
    }
  }
}

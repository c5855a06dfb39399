/// Lets only so many tasks do something at once; the others wait in the order they came.
actor Semaphore {
  private var permits: Int
  private var line: [Waiter<Bool>] = []

  init(_ count: Int) {
    permits = count
  }

  /// Runs `body` when there is a permit for it.
  /// - Parameter patience: after which it runs without one, where those before it are slow.
  func withPermit<Value: Sendable>(patience: Duration? = nil, _ body: @Sendable () async throws -> Value) async throws -> Value {
    let hasPermit = try await wait(patience)
    defer { if hasPermit { passOn() } }
    return try await body()
  }

  /// Runs `body` if there is a permit for it in time.
  /// - Parameter limit: how long it waits for one; nil for as long as it takes.
  /// - Returns: nil when those before it are too slow.
  func withPermit<Value: Sendable>(within limit: Duration?, _ body: @Sendable () async throws -> Value) async throws -> Value? {
    guard try await wait(limit) else { return nil }
    defer { passOn() }
    return try await body()
  }

  private func wait(_ patience: Duration?) async throws -> Bool {
    guard permits == 0 else {
      permits -= 1
      return true
    }
    let turn = Waiter<Bool>()
    line.append(turn)
    let timer = patience.map { limit in
      Task {
        try await Task.sleep(for: limit)
        _ = turn.give(false)
      }
    }
    defer { timer?.cancel() }
    return try await turn.value()
  }

  private func passOn() {
    while !line.isEmpty {
      if line.removeFirst().give(true) { return }
    }
    permits += 1
  }
}

/// Lets only so many tasks do something at once; the others wait in the order they came.
actor Places {
  private var free: Int
  private var line: [Waiter<Bool>] = []

  init(_ count: Int) {
    free = count
  }

  /// Runs `body` when there is a place for it.
  /// - Parameter patience: after which it runs without one, where those before it are slow.
  func take<Value: Sendable>(patience: Duration? = nil, _ body: @Sendable () async throws -> Value) async throws -> Value {
    let hasPlace = try await wait(patience)
    defer { if hasPlace { passOn() } }
    return try await body()
  }

  private func wait(_ patience: Duration?) async throws -> Bool {
    guard free == 0 else {
      free -= 1
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
    free += 1
  }
}

/// Lets only so many tasks do something at once; the others wait in the order they came.
actor Places {
  private var free: Int
  private var line: [Waiter<Void>] = []

  init(_ count: Int) {
    free = count
  }

  /// Runs `body` when there is a place for it.
  func take<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
    if free > 0 {
      free -= 1
    } else {
      let waiter = Waiter<Void>()
      line.append(waiter)
      try await waiter.value()
    }
    defer { passOn() }
    return try await body()
  }

  private func passOn() {
    while !line.isEmpty {
      if line.removeFirst().give(()) { return }
    }
    free += 1
  }
}

/// Lets many use a thing at once, or one change it. Whoever changes it waits until all are done that use it, and who comes meanwhile waits for the
/// change.
actor UseOrChange {
  /// Those who used it were not done in time.
  struct StillInUse: Error {}

  private enum Wish {
    case use, change
  }

  private var users = 0
  private var isChanging = false
  private var line: [(wish: Wish, turn: Waiter<Bool>)] = []

  /// Whether somebody waits.
  var isWaitedFor: Bool { !line.isEmpty }

  /// Uses it, beside others.
  func use<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
    if isChanging || !line.isEmpty { try await wait(.use) } else { users += 1 }
    defer {
      users -= 1
      admit()
    }
    return try await body()
  }

  /// Changes it, alone.
  /// - Parameter patience: how long to wait for those who use it.
  /// - Throws: ``StillInUse``, or what `body` throws.
  func change<Value: Sendable>(patience: Duration, _ body: @Sendable () async throws -> Value) async throws -> Value {
    if isChanging || users > 0 || !line.isEmpty { try await wait(.change, patience: patience) } else { isChanging = true }
    defer {
      isChanging = false
      admit()
    }
    return try await body()
  }

  private func wait(_ wish: Wish, patience: Duration? = nil) async throws {
    let turn = Waiter<Bool>()
    line.append((wish, turn))
    let timer = patience.map { limit in
      Task {
        try await Task.sleep(for: limit)
        _ = turn.give(false)
      }
    }
    defer { timer?.cancel() }
    do {
      guard try await turn.value() else { throw StillInUse() }
    } catch {
      // Those behind need not wait for who has left.
      line.removeAll { $0.turn === turn }
      admit()
      throw error
    }
  }

  private func admit() {
    while !isChanging, let next = line.first {
      if next.wish == .change, users > 0 { return }
      line.removeFirst()
      guard next.turn.give(true) else { continue }
      switch next.wish {
      case .use: users += 1
      case .change: isChanging = true
      }
    }
  }
}

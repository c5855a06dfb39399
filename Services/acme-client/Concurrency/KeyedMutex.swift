/// Lets one task at a time do what concerns one thing (an account, a key file), in the order they came.
actor KeyedMutex<Subject: Hashable & Sendable> {
  private var lines: [Subject: [Waiter<Void>]] = [:]

  /// Runs `body` when everyone who came before for the same subject is done.
  func withLock<Value: Sendable>(_ subject: Subject, _ body: @Sendable () async throws -> Value) async throws -> Value {
    if lines[subject] == nil {
      lines[subject] = []
    } else {
      let waiter = Waiter<Void>()
      lines[subject, default: []].append(waiter)
      try await waiter.value()
    }
    defer { passOn(subject) }
    return try await body()
  }

  private func passOn(_ subject: Subject) {
    while let next = lines[subject]?.first {
      lines[subject]?.removeFirst()
      if next.give(()) { return }
    }
    lines[subject] = nil
  }
}

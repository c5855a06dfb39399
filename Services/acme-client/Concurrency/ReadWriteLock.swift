/// Lets many read at once, or one write. A writer waits until the readers before it are done, and whoever comes meanwhile waits for the writer.
actor ReadWriteLock {
  /// The readers were not done in time.
  struct StillInUse: Error {}

  private enum Wish {
    case read, write
  }

  private var readers = 0
  private var isWriting = false
  private var line: [(wish: Wish, turn: Waiter<Bool>)] = []

  /// Whether somebody waits.
  var isWaitedFor: Bool { !line.isEmpty }

  /// Reads, beside others.
  func read<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
    if isWriting || !line.isEmpty { try await wait(.read) } else { readers += 1 }
    defer {
      readers -= 1
      admit()
    }
    return try await body()
  }

  /// Writes, alone.
  /// - Parameter patience: how long to wait for the readers.
  /// - Throws: ``StillInUse``, or what `body` throws.
  func write<Value: Sendable>(patience: Duration, _ body: @Sendable () async throws -> Value) async throws -> Value {
    if isWriting || readers > 0 || !line.isEmpty { try await wait(.write, patience: patience) } else { isWriting = true }
    defer {
      isWriting = false
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
    while !isWriting, let next = line.first {
      if next.wish == .write, readers > 0 { return }
      line.removeFirst()
      guard next.turn.give(true) else { continue }
      switch next.wish {
      case .read: readers += 1
      case .write: isWriting = true
      }
    }
  }
}

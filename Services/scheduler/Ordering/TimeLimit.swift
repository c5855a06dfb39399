/// What `body` comes to, if that is within a limit; then it is cancelled.
/// - Throws: what `body` throws, and `failure` when the time is over.
func within<Value: Sendable>(
  _ limit: Duration, on clock: any Clock<Duration>, or failure: any Error, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
  try await withThrowingTaskGroup(of: Value.self) { tasks in
    tasks.addTask(operation: body)
    tasks.addTask {
      try await clock.sleep(for: limit)
      throw failure
    }
    defer { tasks.cancelAll() }
    guard let first = try await tasks.next() else { throw CancellationError() }
    return first
  }
}

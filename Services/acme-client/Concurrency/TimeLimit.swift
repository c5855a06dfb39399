/// What `body` comes to, if that is within a limit; then it is cancelled.
func withLimit<Value: Sendable>(_ limit: Duration, _ body: @escaping @Sendable () async -> Value) async -> Value? {
  await withTaskGroup(of: Value?.self) { tasks in
    defer { tasks.cancelAll() }
    tasks.addTask(operation: body)
    tasks.addTask {
      try? await Task.sleep(for: limit)
      return nil
    }
    return await tasks.next() ?? nil
  }
}

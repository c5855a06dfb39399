import Testing

/// Waits until something holds that nothing tells about; fails after a time that is far above what it takes.
func eventually(_ what: Comment, sourceLocation: SourceLocation = #_sourceLocation, _ holds: () async throws -> Bool) async throws {
  for _ in 0..<1000 {
    if try await holds() { return }
    try await Task.sleep(for: .milliseconds(10))
  }
  Issue.record(what, sourceLocation: sourceLocation)
}

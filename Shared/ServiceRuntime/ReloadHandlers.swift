import Synchronization

/// What the service does when it is asked to read its settings again.
final class ReloadHandlers: Sendable {
  private let handlers = Mutex<[@Sendable () async throws -> Void]>([])

  func add(_ handler: @escaping @Sendable () async throws -> Void) {
    handlers.withLock { $0.append(handler) }
  }

  /// Runs them one after the other; the first that fails is the last.
  func run() async throws {
    for handler in handlers.withLock({ $0 }) { try await handler() }
  }
}

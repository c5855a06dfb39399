import Logging
import Telemetry
import Varlink

/// Calls again when the other service is being restarted or cannot be reached, with growing pauses: it is there in a moment, and if it is
/// not, asking faster does not help. A failure of the store is met in the same way: nothing is given up because a disk is full.
struct RetryPolicy: Sendable {
  let clock: any Clock<Duration>
  let chance: Chance
  let logger: Logger

  /// The pauses grow from the first to the last by doubling.
  static let shortest = Duration.milliseconds(50)
  static let longest = Duration.seconds(30)

  /// Runs `body` until it succeeds or the task is cancelled; what it comes to, nil if it was cancelled.
  @discardableResult
  func persist<Value: Sendable>(in what: String, _ body: @Sendable () async throws -> Value) async -> Value? {
    var pause = Self.shortest
    while !Task.isCancelled {
      do {
        return try await body()
      } catch {
        if Task.isCancelled { return nil }
        log(error, of: what, pause: pause)
      }
      guard (try? await clock.sleep(for: pause * (0.75 + chance.fraction() / 2))) != nil else { return nil }
      pause = min(pause * 2, Self.longest)
    }
    return nil
  }

  /// A service that is being restarted is no event; one that is still away after a minute is.
  private func log(_ error: any Error, of what: String, pause: Duration) {
    let text: Logger.Message = "\(what) did not succeed, trying again"
    if error is StoreError {
      // The store tells, once for all that waits for it.
    } else if !Self.isTransient(error) {
      logger.log(.storingFailed, "\(what) did not succeed, trying again: \(error)", metadata: [.pause: pause])
    } else if pause == Self.longest {
      logger.log(.serviceUnanswered, text, error: error, metadata: [.pause: pause])
    } else {
      logger.notice(text, error: error, metadata: [.pause: pause])
    }
  }

  /// Whether acme-client may answer the same call in a moment.
  static func isTransient(_ error: any Error) -> Bool {
    switch error {
    case is Restarting: true
    case let error as VarlinkError: error.isTransient
    default: false
    }
  }
}

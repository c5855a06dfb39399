/// How long a client waits before it connects again: a second, doubling to a minute, and of that a random part between a half and the whole, so
/// that a fleet does not come back in step. Only a login that succeeded starts it from the beginning.
public struct ReconnectPause: Sendable {
  private static let longest: Duration = .seconds(60)
  private var next: Duration = .seconds(1)

  /// The pauses from the beginning.
  public init() {}

  /// The pause before the next attempt.
  public mutating func take(using generator: inout some RandomNumberGenerator) -> Duration {
    defer { next = min(next * 2, Self.longest) }
    return next * Double.random(in: 0.5..<1, using: &generator)
  }

  /// A login has succeeded.
  public mutating func reset() {
    self = ReconnectPause()
  }
}

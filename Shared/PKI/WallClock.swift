import FoundationEssentials

/// Where the time of day comes from: the system's clock in a service, whatever a test needs in a test.
public struct WallClock: Sendable {
  /// The moment it is now.
  public let now: @Sendable () -> Instant

  /// A clock that shows what `now` returns.
  public init(now: @escaping @Sendable () -> Instant) {
    self.now = now
  }

  /// The system's clock. It may be set, so it measures no durations.
  public static let system = WallClock { Instant(Date()) }
}

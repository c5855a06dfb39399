/// How much others can have the gateway write into its log: a line a minute, which tells how many were left out before it.
struct LineAMinute: Sendable {
  private static let pause = Duration.seconds(60)

  private var lastLine: ContinuousClock.Instant?
  private var unsaid = 0

  /// How many lines were left out since the last one; nil when this one is left out too.
  mutating func take(at now: ContinuousClock.Instant) -> Int? {
    if let lastLine, now < lastLine + Self.pause {
      unsaid += 1
      return nil
    }
    defer { (lastLine, unsaid) = (now, 0) }
    return unsaid
  }
}

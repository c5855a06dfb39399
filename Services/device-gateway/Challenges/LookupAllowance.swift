/// How many tokens one connection may look up: a burst, and then so many a second. A reverse proxy is asked for tokens by whoever scans it.
struct LookupAllowance: Sendable {
  static let burst = 100.0
  static let perSecond = 50.0

  private var left = Self.burst
  private var last: ContinuousClock.Instant?

  /// Whether one more is allowed now.
  mutating func take(at now: ContinuousClock.Instant) -> Bool {
    if let last { left = min(Self.burst, left + (now - last) / .seconds(1) * Self.perSecond) }
    last = now
    guard left >= 1 else { return false }
    left -= 1
    return true
  }
}

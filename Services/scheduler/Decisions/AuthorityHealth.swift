import PKI

/// Whether the CA and our account there can be used, as orders have shown. When they cannot, that is one fault and not one of each device: no more
/// orders are begun, and one after the other is made to see whether they can again.
struct AuthorityHealth: Hashable {
  /// Since when it cannot be used, and why.
  struct Outage: Hashable {
    let since: Instant
    /// What the last order was told.
    var failure: AttemptFailure
    /// How many orders in a row were told such.
    var failures: Int
    /// When the next order is made.
    var retryAt: Instant
  }

  /// What an administrator should know.
  enum Remark: Hashable {
    case failed(AttemptFailure)
    case recovered(since: Instant)
  }

  private(set) var outage: Outage?

  init(outage: Outage? = nil) {
    self.outage = outage
  }

  /// Whether an order may begin now. In an outage one may now and then, and the others wait for what comes of it.
  mutating func mayOrder(at now: Instant) -> Bool {
    guard var current = outage else { return true }
    guard current.retryAt <= now else { return false }
    current.retryAt = now + Self.pause(after: current.failures)
    outage = current
    return true
  }

  /// The order that might begin was not made, and shows nothing: another one may.
  mutating func orderNotMade(at now: Instant) {
    guard let current = outage else { return }
    outage?.retryAt = min(current.retryAt, now)
  }

  /// Takes note of how an order ended, nil for a certificate. Whatever is no fault of the CA's shows that it can be used.
  /// - Parameter jitter: a random number from 0 to 1.
  mutating func take(_ failure: AttemptFailure?, jitter: Double, at now: Instant) -> [Remark] {
    if failure?.isOwnFault == true { return [] }
    guard let failure, failure.concernsAuthority else {
      guard let former = outage else { return [] }
      outage = nil
      return [.recovered(since: former.since)]
    }
    let failures = (outage?.failures ?? 0) + 1
    let step = Self.pause(after: failures)
    let pause = max(step, failure.retryAfter.map { min(.seconds($0), RetryPause.longestInOutage) } ?? .zero)
    let isNews = outage == nil || outage?.failure.error != failure.error
    outage = Outage(
      since: outage?.since ?? now, failure: failure, failures: failures, retryAt: now + pause + step / 4 * min(max(0, jitter), 1))
    return isNews ? [.failed(failure)] : []
  }

  private static func pause(after failures: Int) -> Duration {
    let steps = RetryPause.growingInOutage
    return steps[min(max(1, failures), steps.count) - 1]
  }
}

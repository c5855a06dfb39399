import PKI

/// So many in so long a time, as CAs limit it: what is spent grows back evenly.
struct RateLimit: Hashable {
  let count: Int
  let period: Duration

  /// In what time one grows back.
  var refill: Duration { period / count }
}

/// What is left of a limit. It holds one moment only: when all that was spent has grown back.
struct TokenBucket: Hashable {
  let limit: RateLimit
  private(set) var fullAt: Instant

  /// A full one, or one as it was kept.
  init(_ limit: RateLimit, fullAt: Instant = .earliest) {
    self.limit = limit
    self.fullAt = fullAt
  }

  /// When one can be spent and `reserve` are left still.
  func readyAt(leaving reserve: Int = 0) -> Instant {
    fullAt - (limit.period - limit.refill * (1 + min(reserve, limit.count - 1)))
  }

  mutating func spend(at now: Instant) {
    fullAt = max(fullAt, now) + limit.refill
  }

  /// What was spent has come to nothing that counts.
  mutating func giveBack() {
    fullAt = fullAt - limit.refill
  }

  /// The CA has said that there is nothing before that moment: it knows what others spent.
  mutating func holdBack(until moment: Instant) {
    fullAt = max(fullAt, moment + (limit.period - limit.refill))
  }
}

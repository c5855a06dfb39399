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

  /// One as it was kept. What is further ahead than anything is ever spent was kept under a clock that was wrong, and says nothing.
  init(_ limit: RateLimit, kept fullAt: Instant, at now: Instant) {
    self.init(limit, fullAt: fullAt > now + Self.longest(of: limit) ? .earliest : fullAt)
  }

  /// How long at most until all has grown back: as long as the CA may hold everything back, and then as long as all takes.
  private static func longest(of limit: RateLimit) -> Duration { limit.period * 2 }

  /// When one can be spent and `reserve` are left still.
  func readyAt(leaving reserve: Int = 0) -> Instant {
    fullAt - (limit.period - limit.refill * (1 + min(reserve, limit.count - 1)))
  }

  /// The same, after so many others have spent one each as soon as they could.
  func readyAt(leaving reserve: Int, after others: Int, at now: Instant) -> Instant {
    guard others > 0 else { return readyAt(leaving: reserve) }
    return TokenBucket(limit, fullAt: max(fullAt, now) + limit.refill * others).readyAt(leaving: reserve)
  }

  mutating func spend(at now: Instant) {
    fullAt = min(max(fullAt, now) + limit.refill, now + Self.longest(of: limit))
  }

  /// What was spent has come to nothing that counts.
  mutating func giveBack() {
    fullAt = fullAt - limit.refill
  }

  /// The CA has said that there is nothing before that moment: it knows what others spent. More than its own time no limit takes to have room.
  mutating func holdBack(until moment: Instant, at now: Instant) {
    fullAt = max(fullAt, min(moment, now + limit.period) + (limit.period - limit.refill))
  }

  /// Somebody insists: one can be spent now, with `reserve` left, and the next has to wait again.
  mutating func makeRoom(leaving reserve: Int, at now: Instant) {
    fullAt = min(fullAt, now + (limit.period - limit.refill * (1 + min(reserve, limit.count - 1))))
  }
}

/// How often the CA is asked whether it is done: at once, then ever more seldom, and never sooner than it wants.
struct PollPace: Sendable, Hashable {
  static let shortest = Duration.milliseconds(10)
  static let longest = Duration.seconds(4)

  private var own = Self.shortest

  /// How long to wait at least.
  var shortestNext: Duration { own }

  /// How long to wait before the next question.
  mutating func next(retryAfter wish: Duration?) -> Duration {
    defer { own = min(own * 3 / 2, Self.longest) }
    return max(own, wish ?? .zero)
  }
}

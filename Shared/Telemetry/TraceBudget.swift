import Synchronization

/// How much a trace category may write: what is traced comes from outside, and must not crowd out the rest of the journal. (journald by itself
/// drops what a service writes beyond 10,000 lines in 30 s, whatever it is; journald.conf(5), `RateLimitBurst=`.)
struct TraceBudget: Sendable {
  /// What becomes of a line.
  enum Verdict: Equatable {
    /// Written. So many were left out before it.
    case written(unsaid: Int)
    /// The first that is left out; let it be said that there are such.
    case full
    case leftOut
  }

  /// The lines that are written in one window.
  static let lines = 2_000
  static let window = Duration.seconds(60)

  private var begin: ContinuousClock.Instant?
  private var count = 0

  /// Another line.
  mutating func take(at now: ContinuousClock.Instant) -> Verdict {
    var unsaid = 0
    if begin.map({ now >= $0 + Self.window }) ?? true {
      unsaid = max(0, count - Self.lines)
      (begin, count) = (now, 0)
    }
    count += 1
    if count <= Self.lines { return .written(unsaid: unsaid) }
    return count == Self.lines + 1 ? .full : .leftOut
  }

  private static let budgets = Mutex<[TraceCategory: TraceBudget]>([:])

  /// Another line of a category in this process.
  static func take(_ category: TraceCategory) -> Verdict {
    budgets.withLock { $0[category, default: TraceBudget()].take(at: .now) }
  }
}

import PKI

/// How long the connector waits before it tries a request again that failed.
enum RetryPause {
  /// The pauses after the first failures; all later ones are as long as the last.
  static let growing: [Duration] = [.seconds(60), .seconds(600), .seconds(6_000), .seconds(86_400)]
  /// The same where the request is not at fault: when the CA works again, so does the connector within the hour.
  static let growingInOutage: [Duration] = [.seconds(60), .seconds(600), .seconds(3_600)]
  /// How often it is looked whether a name can be answered for by now: a look costs nothing.
  static let forName = Duration.seconds(300)
  /// The longest Retry-After that is obeyed: no limit of a CA lasts longer, and a mistaken figure must not end a renewal.
  static let longest = Duration.seconds(7 * 86_400)
  /// The same where the CA does not work: it does not know when it will, and all certificates wait for it.
  static let longestInOutage = Duration.seconds(6 * 3_600)
  /// The most that chance adds.
  static let widestSpread = Duration.seconds(3_600)

  /// When to try again; nil for never. The CA's Retry-After wins, but is never shorter than the first step: a zero must not become a loop. Chance
  /// adds up to a quarter, so that a fleet that failed at once does not come back at once; nothing is ever tried earlier than asked for.
  /// - Parameter failures: how many there were in a row, of those without the request's fault if this is one.
  static func end(after failure: AttemptFailure, failures: Int, jitter: Double, now: Instant) -> Instant? {
    guard !failure.isFinal else { return nil }
    let steps = failure.isOutage ? growingInOutage : growing
    let step = steps[min(max(1, failures), steps.count) - 1]
    let pause = failure.retryAfter.map { min(max(.seconds($0), steps[0]), failure.isOutage ? longestInOutage : longest) } ?? step
    return now + pause + min(pause / 4, widestSpread) * min(max(0, jitter), 1)
  }
}

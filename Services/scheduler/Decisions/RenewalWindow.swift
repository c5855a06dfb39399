import PKI

/// When the CA would like a certificate to be replaced (RFC 9773, section 4.2), and the moment in between that was drawn.
struct RenewalWindow: Hashable {
  let start: Instant
  let end: Instant
  /// Drawn uniformly when the window came, and kept while the window is the same: drawn anew with each answer it would creep towards the start.
  let chosen: Instant

  /// A window as it was kept.
  init(start: Instant, end: Instant, chosen: Instant) {
    self.start = start
    self.end = end
    self.chosen = chosen
  }

  /// A window as it came; nil when it ends before it begins, which a client must not accept.
  /// - Parameter fraction: a random number from 0 to 1.
  init?(from start: Instant, to end: Instant, fraction: Double) {
    guard start < end else { return nil }
    self.init(start: start, end: end, chosen: min(end, start + (end - start) * min(max(0, fraction), 1)))
  }

  func isSame(from start: Instant, to end: Instant) -> Bool { self.start == start && self.end == end }
}

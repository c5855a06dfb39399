import PKI

/// From when to when a certificate is valid.
struct Validity: Hashable {
  let notBefore: Instant
  let notAfter: Instant

  /// Whether it can be used now.
  func isValid(at now: Instant) -> Bool { notBefore <= now && now < notAfter }

  /// How long before its end a certificate is renewed: `renewDays`, but no earlier than when a third of its lifetime is left, or half
  /// of one that lives shorter than ten days.
  func renewalLead(renewDays: Int) -> Duration {
    let lifetime = max(.zero, notAfter - notBefore)
    let share = lifetime < .days(10) ? lifetime / 2 : lifetime / 3
    return min(.days(renewDays), share)
  }

  /// Whether it is time for its successor.
  func isDue(at now: Instant, renewDays: Int) -> Bool {
    now >= notAfter - renewalLead(renewDays: renewDays)
  }

  /// When its successor is taken into use: `installDays` before its end, at most half the renewal lead, so that the successor is there by then;
  /// at once when that is over.
  func successorInstallAt(renewDays: Int, installDays: Int, now: Instant) -> Instant {
    guard isValid(at: now) else { return now }
    return max(now, notAfter - min(.days(installDays), renewalLead(renewDays: renewDays) / 2))
  }
}

extension Duration {
  /// So many times 24 hours.
  static func days(_ count: Int) -> Duration { .seconds(86_400 * count) }
}

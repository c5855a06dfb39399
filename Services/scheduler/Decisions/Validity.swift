import PKI

/// From when to when a certificate is valid.
struct Validity: Hashable {
  let notBefore: Instant
  let notAfter: Instant

  var lifetime: Duration { max(.zero, notAfter - notBefore) }

  /// Whether it can be used now.
  func isValid(at now: Instant) -> Bool { notBefore <= now && now < notAfter }

  /// How long before its end a certificate is renewed where the CA suggests nothing: `renewDays`, but no earlier than when a third of its
  /// lifetime is left, or half of one that lives shorter than ten days.
  func renewalLead(renewDays: Int) -> Duration {
    min(.days(renewDays), lifetime < .days(10) ? lifetime / 2 : lifetime / 3)
  }

  /// When the successor of a certificate that was due at `dueAt` is taken into use: `installDays` before the end, at most half the renewal lead, so
  /// that the successor is there by then; at once when that is over.
  func successorInstallAt(dueAt: Instant, installDays: Int, now: Instant) -> Instant {
    guard isValid(at: now) else { return now }
    return max(now, notAfter - min(.days(installDays), (notAfter - dueAt) / 2))
  }
}

extension Duration {
  /// So many times 24 hours.
  static func days(_ count: Int) -> Duration { .seconds(86_400 * count) }
}

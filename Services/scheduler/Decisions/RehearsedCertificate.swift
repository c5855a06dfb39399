import PKI

/// A certificate as it would be by now had it, and all that followed it, lived for so long, each renewed when it was due: a fleet is rehearsed in the state
/// in which it would be for good, and not on the day of the change.
struct RehearsedCertificate: Hashable {
  let validity: Validity
  /// When its successor is due; that is still ahead.
  let dueAt: Instant
  /// When the one that there is would have ended, if that is over.
  let endedAt: Instant?

  init(_ validity: Validity, issuedAt: Instant, lifetime: Duration, by rule: RenewalRule, at now: Instant) {
    let first = Validity(notBefore: validity.notBefore, notAfter: validity.notBefore + lifetime)
    let due = RenewalSchedule(first, issuedAt: issuedAt).dueAt(by: rule)
    // Milliseconds from one to the next.
    let pace = max(1, due.milliseconds - issuedAt.milliseconds)
    let renewals = due <= now ? (now.milliseconds - due.milliseconds) / pace + 1 : 0
    let passed = Duration.milliseconds(renewals * pace)
    self.validity = Validity(notBefore: first.notBefore + passed, notAfter: first.notAfter + passed)
    dueAt = due + passed
    endedAt = first.notAfter <= now ? first.notAfter : nil
  }
}

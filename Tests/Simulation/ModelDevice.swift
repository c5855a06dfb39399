import PKI

/// A device and what the connector knows of its one certificate.
struct ModelDevice {
  enum Manner: CaseIterable {
    /// It is always there and hands in a CSR when it is asked.
    case diligent
    /// It is always there and understands no wish.
    case deaf
    /// It comes once a week.
    case weekly
    /// Its name can not be reached for the second half of each quarter.
    case unreachable
  }

  let number: Int
  let manner: Manner
  let name: DNSName
  let domain: DNSName
  /// It has none before it has come for the first time.
  var schedule: RenewalSchedule?
  var stage = RenewalStage.waiting
  /// The certificate in use.
  var inUse: Validity?
  /// A certificate that waits for its time, or for its device.
  var delivered: (validity: Validity, installAt: Instant)?
  /// A CSR is at work.
  var isOrdering = false
  var machine = RequestMachine(phase: .installed, failures: 0)
  /// Entries of the agenda about another certificate than this say nothing.
  var generation = 0

  func isReachable(at now: Instant, since start: Instant) -> Bool {
    manner != .unreachable || (now - start).components.seconds / 86_400 % 90 < 45
  }

  var connects: Bool { manner != .weekly }
}

import PKI

/// A CA as it behaves to the outside: its limits are reckoned in another way than the ledger's, and by its own clock.
struct ModelAuthority {
  /// So many tokens, which grow back.
  private struct Allowance {
    let most: Double
    let seconds: Double
    var left: Double
    var since: Instant

    mutating func giveBack() { left = min(most, left + 1) }

    mutating func take(at now: Instant) -> Bool {
      left = min(most, left + Double((now - since).components.seconds) * most / seconds)
      since = now
      // Whole seconds are reckoned with: a token may lack the part of one.
      guard left >= 1 - most / seconds else { return false }
      left -= 1
      return true
    }
  }

  /// Certificates are dated back, for clocks that are behind.
  private static let backdating = Duration.seconds(3_600)

  private let start: Instant
  private let incidents: Incidents
  private var allowances: [String: Allowance] = [:]
  /// Which domain an order for these names was counted for.
  private var counted: [String: String] = [:]
  /// How many certificates it has issued.
  private(set) var issued = 0

  init(start: Instant, incidents: Incidents) {
    self.start = start
    self.incidents = incidents
  }

  /// Let's Encrypt's dates, as of a start in November 2026 (https://letsencrypt.org/2025/12/02/from-90-to-45).
  func lifetime(at now: Instant) -> Duration {
    now < start + .days(78) ? .days(90) : now < start + .days(449) ? .days(64) : .days(45)
  }

  func isDown(at now: Instant) -> Bool { incidents.outages.contains { $0.contains(now) } }

  /// Whether it wants the certificate replaced ahead of its time, and revokes it.
  func recalls(_ validity: Validity, of device: Int) -> Bool {
    validity.notBefore + Self.backdating < incidents.recall && device % incidents.recalledShare == 0
  }

  /// What it suggests for a certificate.
  func window(of validity: Validity, device: Int, at now: Instant) -> RenewalSchedule.Answer {
    if incidents.recall <= now, recalls(validity, of: device) {
      return .window(
        start: incidents.recall - .seconds(3_600), end: incidents.recall - .seconds(1_800), explanation: "https://ca.test/incident",
        retryAfter: .seconds(21_600))
    }
    let ideal = validity.notAfter - validity.lifetime / 3
    return .window(
      start: ideal - validity.lifetime / 100, end: ideal + validity.lifetime / 100, explanation: nil, retryAfter: .seconds(21_600))
  }

  /// A new order; the CA knows itself for what it counts.
  /// - Returns: the limit that it does not fit into.
  mutating func order(names: String, domain: String, replacing window: RenewalWindow?, isRenewal: Bool, at now: Instant) -> String? {
    if let window, window.start <= now, now < window.end { return nil }
    if !isRenewal {
      guard take("orders", 300, 10_800, now) else { return "orders of the account" }
      guard take("domain \(domain)", 50, 604_800, now) else { return "certificates for \(domain)" }
      counted[names] = "domain \(domain)"
    }
    return take("set \(names)", 5, 604_800, now) ? nil : "certificates for exactly \(names)"
  }

  /// An order has come to nothing: it counts for no certificates.
  mutating func dropOrder(for names: String) {
    for what in ["set \(names)", counted.removeValue(forKey: names)].compactMap(\.self) { allowances[what]?.giveBack() }
  }

  /// How long it takes from an order to its certificate, or to what keeps it from that.
  func duration(at now: Instant) -> Duration {
    incidents.stall.contains(now) ? incidents.stall.upperBound - now : .seconds(10)
  }

  /// The certificate of an order that is in order.
  mutating func issue(for names: String, at now: Instant) -> Validity {
    issued += 1
    counted[names] = nil
    let notBefore = now - Self.backdating
    return Validity(notBefore: notBefore, notAfter: notBefore + lifetime(at: now))
  }

  private mutating func take(_ what: String, _ most: Double, _ seconds: Double, _ now: Instant) -> Bool {
    var allowance = allowances[what] ?? Allowance(most: most, seconds: seconds, left: most, since: now)
    defer { allowances[what] = allowance }
    return allowance.take(at: now)
  }
}

import PKI

/// Says when the turns of certificates come, by the CA's limits as they are spent now: one after the other, in the order of their ``QueuePlace``. It changes
/// nothing, and knows no more than what is spent at the moment that it has come to: a fleet may be of any size.
struct TurnForecast {
  /// When a turn comes.
  struct Turn: Hashable {
    let at: Instant
    /// The limit that it waits for.
    var limit: LedgerAccount?
    /// It waits until the CA can be used.
    var isHeld = false
  }

  private var ledger: Ledger
  private let limits: AuthorityLimits?
  private let heldUntil: Instant?
  private let suffixes: PublicSuffixList
  private let now: Instant
  /// With how many limits what has grown back is forgotten.
  private var mostAccounts = Self.fewestAccounts
  private static let fewestAccounts = 1_000

  /// How many limits it knows something of.
  var accountCount: Int { ledger.buckets.count }

  /// - Parameters:
  ///   - ledger: what is spent of any limit by now.
  ///   - limits: nil where there are none to be kept to.
  ///   - heldUntil: when the CA is tried again that cannot be used now.
  init(ledger: Ledger, limits: AuthorityLimits?, heldUntil: Instant? = nil, suffixes: PublicSuffixList, at now: Instant) {
    self.ledger = ledger
    self.limits = limits
    self.heldUntil = heldUntil
    self.suffixes = suffixes
    self.now = now
  }

  /// The next one; it is wanted no earlier than the one before.
  /// - Parameter names: asked for only where the CA counts by them.
  mutating func turn(wantedAt: Instant, _ exemption: LedgerExemption, names: () throws -> [DNSName]) rethrows -> Turn {
    let due = max(now, wantedAt)
    let wanted = max(due, heldUntil ?? now)
    let turn = Turn(at: wanted, isHeld: wanted > due)
    guard let limits, exemption != .renewalInWindow else { return turn }
    let charges = Ledger.charges(try names(), exemption, suffixes: suffixes)
    ledger.open(charges, by: limits)
    let wait = ledger.wait(for: charges, names: [], isEmergency: false, at: wanted)
    ledger.spend(charges, at: wait?.until ?? wanted)
    forgetWhatHasGrownBack(by: wanted)
    return wait.map { Turn(at: $0.until, limit: $0.account) } ?? turn
  }

  private mutating func forgetWhatHasGrownBack(by moment: Instant) {
    guard ledger.buckets.count > mostAccounts else { return }
    ledger.forget(fullAt: moment)
    mostAccounts = max(Self.fewestAccounts, ledger.buckets.count * 2)
  }
}

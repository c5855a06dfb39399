import PKI
import SchedulerAPI

/// When the turn of each of these certificates comes, by the CA's limits as they are spent now; a forecast that changes nothing.
struct Plan: Hashable {
  /// A slot, as far as its next order goes.
  struct Slot: Hashable, ExpectedOrder {
    let device: DeviceID
    let slot: String
    let names: [DNSName]
    /// When it is to be ordered.
    let wantedAt: Instant
    /// When the certificate in use ends.
    let end: Instant?
    let exemption: LedgerExemption
    /// From when on it may spend what is kept for emergencies.
    var emergencyFrom = Instant.latest
    /// By when it is needed, and the number of its request.
    let urgency: Urgency

    var place: QueuePlace { QueuePlace(wantedAt: wantedAt, urgency: urgency) }
  }

  /// Its turn.
  struct Turn: Hashable {
    let slot: Slot
    let at: Instant
    /// The limit that it waits for.
    let limit: LedgerAccount?

    /// It comes too late.
    var isLate: Bool { slot.end.map { at > $0 } ?? false }
  }

  /// In the order in which they come.
  private(set) var turns: [Turn]

  /// - Parameters:
  ///   - ledger: what is spent of any limit by now.
  ///   - limits: nil where there are none to be kept to.
  ///   - heldUntil: when the CA is tried again that cannot be used now.
  init(_ slots: [Slot], ledger: Ledger, limits: AuthorityLimits?, heldUntil: Instant? = nil, suffixes: PublicSuffixList, at now: Instant) {
    var forecast = TurnForecast(ledger: ledger, limits: limits, heldUntil: heldUntil, suffixes: suffixes, at: now)
    turns = forecast.turns(of: slots) { $0.names }.map { Turn(slot: $0.order, at: $0.turn.at, limit: $0.turn.limit) }
  }
}

import PKI
import SchedulerAPI

/// When the turn of each certificate of a fleet comes, by the CA's limits as they are spent now; a forecast that changes nothing.
struct Plan: Hashable {
  /// A slot, as far as its next order goes.
  struct Slot: Hashable {
    let device: DeviceID
    let slot: String
    let names: [DNSName]
    /// When it is to be ordered.
    let wantedAt: Instant
    /// When the certificate in use ends.
    let end: Instant?
    let exemption: LedgerExemption
  }

  /// Its turn.
  struct Turn: Hashable {
    let slot: Slot
    let at: Instant
    /// The limit that it waits for.
    let limit: LedgerAccount?
    /// It waits until the CA can be used.
    var isHeld = false

    /// It comes too late.
    var isLate: Bool { slot.end.map { at > $0 } ?? false }
  }

  /// In the order in which they come.
  private(set) var turns: [Turn]

  /// - Parameters:
  ///   - ledger: what is spent of any limit by now.
  ///   - limits: nil where there are none to be kept to.
  ///   - heldUntil: when the CA is tried again that can not be used now.
  init(_ slots: [Slot], ledger: Ledger, limits: AuthorityLimits?, heldUntil: Instant? = nil, suffixes: PublicSuffixList, at now: Instant) {
    var ledger = ledger
    turns = slots.sorted { ($0.wantedAt, $0.end ?? .latest) < ($1.wantedAt, $1.end ?? .latest) }.map { slot in
      let due = max(now, slot.wantedAt)
      let wanted = max(due, heldUntil ?? now)
      let turn = Turn(slot: slot, at: wanted, limit: nil, isHeld: wanted > due)
      guard let limits else { return turn }
      let charges = Ledger.charges(slot.names, slot.exemption, suffixes: suffixes)
      ledger.open(charges, by: limits)
      let wait = ledger.wait(for: charges, names: [], isEmergency: false, at: wanted)
      ledger.spend(charges, at: wait?.until ?? wanted)
      return wait.map { Turn(slot: slot, at: $0.until, limit: $0.account) } ?? turn
    }
    turns.sort { $0.at < $1.at }
  }

  /// How many turns come on each day, UTC; days without any are left out.
  var load: [(day: Instant, count: Int)] {
    let day: Int64 = 86_400_000
    let counts = Dictionary(grouping: turns) { $0.at.milliseconds / day }.mapValues(\.count)
    return counts.sorted { $0.key < $1.key }.map { (Instant(milliseconds: $0.key * day), $0.value) }
  }
}

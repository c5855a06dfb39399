import ACMEClientAPI
import GRDB
import PKI
import SchedulerAPI

/// The plan of a whole fleet: when each certificate is ordered next, the load of each day, and what would go wrong. Of a slot it has no more than its turn;
/// what else is shown of it is read when it is.
struct FleetPlan {
  /// The turn of a slot.
  struct Turn {
    /// The slot's newest request.
    let request: PlanSubject
    let forecast: TurnForecast.Turn
    /// When the certificate in use ends.
    let end: Instant?

    var at: Instant { forecast.at }
    /// It comes too late.
    var isLate: Bool { end.map { at > $0 } ?? false }
  }

  /// In the order in which they come.
  let turns: [Turn]
  let days: [DayLoad]
  let warnings: [String]
  /// What the CA that is rehearsed would mean.
  let change: AuthorityChange?

  /// How many warnings are told.
  private static let mostWarnings = 1_000

  /// - Parameters:
  ///   - lifetime: how long certificates are to live in a rehearsal; nil for as long as they do.
  ///   - isOtherAuthority: the CA of the settings is one that is rehearsed.
  init(
    by settings: Settings, lifetime: Duration?, isOtherAuthority: Bool, suffixes: PublicSuffixList, at now: Instant, from database: Database
  ) throws {
    var slots: [Slot] = []
    var warnings: [String] = []
    if let end = try Fleet.cautiousUntil(settings, at: now, from: database) {
      warnings.append("The database is a restored backup: the CA's limits are taken for spent until \(end).")
    }
    let outlooks = try SlotOutlook.all(at: now, from: database)
    let rehearsal = Rehearsal(lifetime: lifetime, rule: settings.renewalRule)
    while let outlook = try outlooks.next() {
      guard let slot = Slot(outlook, in: rehearsal, at: now) else { continue }
      slots.append(slot)
      if warnings.count < Self.mostWarnings {
        warnings += try rehearsal.warnings(outlook, at: now) { try RequestRecord.names(of: outlook.number, from: database) }
      }
    }

    try AdoptedOutlook.forEach(by: settings.renewalRule, at: now, from: database) { slots.append(Slot($0, in: rehearsal, at: now)) }

    let ledger = try settings.limits.flatMap { limits in
      try settings.authority.map { try LedgerRecord.all(of: $0.book, by: limits, at: now, from: database) }
    }
    func turns(of slots: [Slot], heldUntil: Instant?) throws -> [Turn] {
      var forecast = TurnForecast(
        ledger: ledger ?? Ledger([:]), limits: ledger == nil ? nil : settings.limits, heldUntil: heldUntil, suffixes: suffixes, at: now)
      return try slots.sorted { ($0.wantedAt, $0.end ?? .latest) < ($1.wantedAt, $1.end ?? .latest) }.map { slot in
        let turn = try forecast.turn(wantedAt: slot.wantedAt, slot.exemption) { try RequestRecord.names(of: slot.request, from: database) }
        return Turn(request: slot.request, forecast: turn, end: slot.end)
      }.sorted { $0.at < $1.at }
    }
    let outage = try settings.authority.flatMap { try AuthorityRecord.health(of: DirectoryURL($0.directory), from: database).outage }
    self.turns = try turns(of: slots, heldUntil: outage?.retryAt)
    days = Self.days(of: self.turns)
    warnings += try Array(self.turns.lazy.filter(\.isLate).prefix(Self.mostWarnings)).map { turn in
      let names = try RequestRecord.names(of: turn.request, from: database)
      return "The turn of \(names.summary) comes \(turn.at), after the end of its certificate \(turn.end ?? turn.at)."
    }
    self.warnings = Array(warnings.prefix(Self.mostWarnings))

    if isOtherAuthority {
      let others = slots.filter(\.isOfOtherAuthority)
      let replaced = others.count(where: \.isForTrial)
      // As if they were all to be replaced now.
      let allAtOnce = try turns(of: others.map { $0.wanted(at: now) }, heldUntil: nil)
      change = AuthorityChange(
        staying: others.count - replaced, replaced: replaced, allAt: allAtOnce.last?.at,
        limit: allAtOnce.last { $0.forecast.limit != nil }?.forecast.limit?.description)
    } else {
      change = nil
    }
  }

  /// How many turns come on each day, UTC; days without any are left out.
  private static func days(of turns: [Turn]) -> [DayLoad] {
    let day: Int64 = 86_400_000
    let counts = turns.reduce(into: [Int64: Int]()) { $0[$1.at.milliseconds / day, default: 0] += 1 }
    return counts.sorted { $0.key < $1.key }.map { DayLoad(day: Instant(milliseconds: $0.key * day), orders: $0.value) }
  }
}

extension FleetPlan {
  /// What is shown of the turns at these places. A slot that is gone meanwhile is left out.
  func shown(_ places: Range<Int>, from database: Database) throws -> [PlannedTurn] {
    try places.compactMap { place in
      let turn = turns[place]
      let shown: (device: DeviceID, slot: String, names: [DNSName])
      switch turn.request {
      case .adopted(let device, let names): shown = (device, Fleet.Application.standardSlot, names)
      case .request(let number):
        guard let request = try RequestRecord.numbered(number, from: database) else { return nil }
        shown = (request.device, request.slot, request.names)
      }
      let limit = turn.forecast.limit?.description ?? (turn.forecast.isHeld ? "the CA, which cannot be used" : nil)
      return PlannedTurn(
        number: place + 1, device: shown.device, slot: shown.slot, names: shown.names, at: turn.at, limit: limit, end: turn.end)
    }
  }
}

/// What a plan holds of each slot of a fleet.
private struct Slot {
  /// Its newest request.
  let request: PlanSubject
  /// When it is to be ordered.
  let wantedAt: Instant
  /// When the certificate in use ends.
  let end: Instant?
  let exemption: LedgerExemption
  /// The certificate is not of the CA that is to order.
  let isOfOtherAuthority: Bool
  /// It is of a CA for trials, and that is not the one.
  let isForTrial: Bool

  /// The same, if it were to be ordered then.
  func wanted(at moment: Instant) -> Slot {
    Slot(request: request, wantedAt: moment, end: end, exemption: exemption, isOfOtherAuthority: isOfOtherAuthority, isForTrial: isForTrial)
  }
}

extension Slot {
  /// Nil when nothing is to be ordered.
  fileprivate init?(_ outlook: SlotOutlook, in rehearsal: Rehearsal, at now: Instant) {
    let certificate = outlook.certificate
    let isOfOther = certificate.map { !rehearsal.isCurrent($0.authority) } ?? false
    let isTrialOfOther = isOfOther && certificate?.isForTrial == true
    guard let wantedAt = rehearsal.wantedAt(outlook, isReplacedNow: isTrialOfOther, at: now) else { return nil }
    // What is revoked, or of a CA for trials, is not in use: nobody trusts it.
    let inUse = certificate.flatMap { $0.isRevoked || isTrialOfOther ? nil : $0 }
    let validity = inUse.map(rehearsal.validity)
    // In a rehearsal a certificate that would have ended long ago is one that was renewed meanwhile.
    let end = rehearsal.lifetime == nil ? validity?.notAfter : validity.map { max($0.notAfter, now + ($0.notAfter - wantedAt)) }
    let exemption: LedgerExemption =
      if isOfOther { .none } else if certificate?.hasWindow == true { .renewalInWindow } else if certificate?.hasSameNames == true {
        .renewal
      } else { .none }
    self.init(
      request: .request(outlook.number), wantedAt: wantedAt, end: end, exemption: exemption, isOfOtherAuthority: isOfOther,
      isForTrial: isTrialOfOther)
  }

  /// Whose certificate it is that a device has brought with it, nobody knows: the next one counts as a new one.
  fileprivate init(_ adopted: AdoptedOutlook, in rehearsal: Rehearsal, at now: Instant) {
    let validity = rehearsal.validity(adopted.validity)
    let dueAt = RenewalSchedule(validity, issuedAt: validity.notBefore).dueAt(by: rehearsal.rule)
    self.init(
      request: .adopted(adopted.device, adopted.names), wantedAt: adopted.isForTrial ? now : dueAt, end: adopted.isForTrial ? nil : validity.notAfter,
      exemption: .none, isOfOtherAuthority: false, isForTrial: false)
  }
}

/// By what a plan is made: the rule, and as if certificates lived for as long as is said.
private struct Rehearsal {
  let lifetime: Duration?
  let rule: RenewalRule

  /// Let's Encrypt's profile shortlived (https://letsencrypt.org/docs/profiles/).
  private static let mostShortLivedNames = 25

  /// Whether this directory is that of the CA which is to order.
  func isCurrent(_ authority: String) -> Bool { DirectoryURL(authority) == rule.authority }

  /// The validity of a certificate, or what it would be.
  func validity(_ certificate: SlotOutlook.Certificate) -> Validity { validity(certificate.validity) }

  func validity(_ validity: Validity) -> Validity {
    lifetime.map { Validity(notBefore: validity.notBefore, notAfter: validity.notBefore + $0) } ?? validity
  }

  /// When the next order is due; nil when none is.
  func wantedAt(_ outlook: SlotOutlook, isReplacedNow: Bool, at now: Instant) -> Instant? {
    guard outlook.isServed, let certificate = outlook.certificate else { return outlook.orderedAt }
    if isReplacedNow { return now }
    return lifetime == nil ? certificate.dueAt : RenewalSchedule(validity(certificate), issuedAt: certificate.issuedAt).dueAt(by: rule)
  }

  /// What would go wrong with a slot.
  /// - Parameter names: those of its newest request.
  func warnings(_ outlook: SlotOutlook, at now: Instant, names: () throws -> [DNSName]) rethrows -> [String] {
    guard let validity = outlook.certificate.map(self.validity) else { return [] }
    var warnings: [String] = []
    let time = validity.notAfter - RenewalSchedule(validity, issuedAt: validity.notBefore).dueAt(by: rule)
    let absence = now - outlook.deviceSeenAt
    if outlook.deviceScope != DeviceKey.administratorScope, absence > time {
      warnings.append(
        "The device \(outlook.deviceKey) was last here \(absence.wholeDays) days ago; between due and end there are \(time.wholeDays) days.")
    }
    if validity.lifetime < .days(10), outlook.nameCount > Self.mostShortLivedNames {
      warnings.append(
        "The certificate for \(try names().summary) has \(outlook.nameCount) names; CAs put \(Self.mostShortLivedNames) into certificates that live so short."
      )
    }
    return warnings
  }
}

extension Duration {
  fileprivate var wholeDays: Int64 { components.seconds / 86_400 }
}

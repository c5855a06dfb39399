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
    /// In a rehearsal: when the one that there is would have ended, if that is over.
    let ended: Instant?

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
    var slots: [PlannedSlot] = []
    var (warnings, obstacles): ([String], [String]) = ([], [])
    if let end = try Fleet.cautiousUntil(settings, at: now, from: database) {
      warnings.append("The database is a restored backup: the CA's limits are taken for spent until \(end).")
    }
    let outlooks = try SlotOutlook.all(at: now, from: database)
    let rehearsal = Rehearsal(lifetime: lifetime, rule: settings.renewalRule)
    while let outlook = try outlooks.next() {
      guard let slot = try PlannedSlot(outlook, brought: outlook.validityBrought(at: now, from: database), in: rehearsal, at: now) else {
        if obstacles.count < Self.mostWarnings { obstacles += try Self.obstacle(outlook, from: database).map { [$0] } ?? [] }
        continue
      }
      slots.append(slot)
      if warnings.count < Self.mostWarnings {
        warnings += try rehearsal.warnings(outlook, at: now) { try RequestRecord.names(of: outlook.number, from: database) }
      }
    }

    try AdoptedOutlook.forEach(by: settings.renewalRule, at: now, from: database) { slots.append(PlannedSlot($0, in: rehearsal, at: now)) }

    let ledger = try settings.limits.flatMap { limits in
      try settings.authority.map { try LedgerRecord.all(of: $0.book, by: limits, at: now, from: database) }
    }
    func turns(of slots: [PlannedSlot], heldUntil: Instant?) throws -> [Turn] {
      var forecast = TurnForecast(
        ledger: ledger ?? Ledger([:]), limits: ledger == nil ? nil : settings.limits, heldUntil: heldUntil, suffixes: suffixes, at: now)
      return try forecast.turns(of: slots) { try RequestRecord.names(of: $0.request, from: database) }.map { slot, turn in
        Turn(request: slot.request, forecast: turn, end: slot.end, ended: slot.ended)
      }
    }
    let outage = try settings.authority.flatMap { try AuthorityRecord.health(of: DirectoryURL($0.directory), from: database).outage }
    self.turns = try turns(of: slots, heldUntil: outage?.retryAt)
    days = Self.days(of: self.turns)
    let ended = self.turns.count { $0.ended != nil }
    if ended > 0 {
      warnings.insert(
        "\(ended) of the present certificates would have ended by now; they are planned as if they had been renewed in time ever since.", at: 0)
    }
    warnings += try Array(self.turns.lazy.filter(\.isLate).prefix(Self.mostWarnings)).map { turn in
      let names = try RequestRecord.names(of: turn.request, from: database)
      return "The turn of \(names.summary) comes \(turn.at), after the end of its certificate \(turn.end ?? turn.at)."
    }
    self.warnings = Array((obstacles + warnings).prefix(Self.mostWarnings))

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

  /// Why a slot gets no turn though it wants a certificate; nil where it wants none.
  private static func obstacle(_ outlook: SlotOutlook, from database: Database) throws -> String? {
    guard !outlook.isServed, let request = try RequestRecord.numbered(outlook.number, from: database) else { return nil }
    let reason: String
    switch request.phase {
    case .failed(let failure, again: nil):
      reason = "has failed for good and needs another CSR: \(failure.error.rawValue): \(failure.explanation.line(of: 500))"
    case .awaitingApproval(let name):
      reason = "waits until \(name), which is another device's, is approved with `acme-connector names approve`."
    default: return nil
    }
    return "No turn comes for \(request.names.summary) of the device \(outlook.deviceKey), whose request \(request.id) \(reason)"
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
        number: place + 1, device: shown.device, slot: shown.slot, names: shown.names, at: turn.at, limit: limit, end: turn.end, ended: turn.ended)
    }
  }
}

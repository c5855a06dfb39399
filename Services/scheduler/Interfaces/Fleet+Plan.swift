import ACMEClientAPI
import GRDB
import PKI
import SchedulerAPI

extension Fleet {
  /// When each certificate is ordered next, as things stand, or if all certificates lived for `lifetime`, or if another CA, with this directory, were
  /// set; and what would go wrong.
  func plan(lifetime: Duration?, authority: String? = nil, limit: Int) async throws -> AdminMethods.Plan.Reply {
    let settings = try authority.map { try self.settings.rehearsed($0, for: "authority.directory") } ?? self.settings.current
    let now = clock.now()
    let suffixes = publicSuffixes
    return try await store.read { database in
      let ledger: Ledger? = try settings.limits.flatMap { limits in
        try settings.authority.map { try LedgerRecord.all(of: $0.book, by: limits, at: now, from: database) }
      }
      let outage = try settings.authority.flatMap { try AuthorityRecord.health(of: DirectoryURL($0.directory), from: database).outage }
      var slots: [Plan.Slot] = []
      var warnings: [String] = []
      var change = ChangeForecast()
      let devices = Dictionary(
        try DeviceRecord.fetchAll(database).filter { $0.retiredAt == nil }.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
      for request in try RequestRecord.fetchAll(
        database, sql: "SELECT * FROM request WHERE number IN (SELECT max(number) FROM request GROUP BY device, slot) AND state <> 'superseded'")
      {
        guard let device = devices[request.device] else { continue }
        let served = try RequestRecord.served(of: request.device, slot: request.slot, from: database)
        let certificate = try served.flatMap { try CertificateRecord.of($0.id, from: database) }
        let renewal = try served.flatMap { try RenewalRecord.of($0.id, from: database) }
        let forecast = SlotForecast(
          request: request, served: served, certificate: certificate, renewal: renewal, lifetime: lifetime, rule: settings.renewalRule)
        guard let slot = forecast.slot(at: now) else { continue }
        slots.append(slot)
        if forecast.isOfOtherAuthority { change.add(slot, isForTrial: forecast.isTrialOfOther) }
        warnings += forecast.warnings(device, at: now)
      }
      let plan = Plan(
        slots, ledger: ledger ?? Ledger([:]), limits: ledger == nil ? nil : settings.limits, heldUntil: outage?.retryAt, suffixes: suffixes, at: now)
      warnings += plan.turns.filter(\.isLate).map {
        "The turn of \($0.slot.names.summary) comes \($0.at), after the end of its certificate \($0.slot.end ?? $0.at)."
      }
      if let end = try Self.cautiousUntil(settings, at: now, from: database) {
        warnings.insert("The database is a restored backup: the CA's limits are taken for spent until \(end).", at: 0)
      }
      let all = Plan(change.slots(at: now), ledger: ledger ?? Ledger([:]), limits: ledger == nil ? nil : settings.limits, suffixes: suffixes, at: now)
      return AdminMethods.Plan.Reply(
        turns: plan.turns.prefix(limit).map(PlannedTurn.init), total: plan.turns.count,
        days: plan.load.map { DayLoad(day: $0.day, orders: $0.count) }, warnings: Array(warnings.prefix(Self.mostWarnings)),
        change: authority.map { _ in change.view(allAtOnce: all) })
    }
  }

  private static let mostWarnings = 1_000
}

/// What is to be expected of a slot.
private struct SlotForecast {
  let request: RequestRecord
  let served: RequestRecord?
  let certificate: CertificateRecord?
  let renewal: RenewalRecord?
  /// How long certificates are to live in the rehearsal; nil for as long as they do.
  let lifetime: Duration?
  let rule: RenewalRule

  /// The validity of the certificate, or what it would be.
  private var validity: Validity? {
    certificate.map { certificate in
      lifetime.map { Validity(notBefore: certificate.notBefore, notAfter: certificate.notBefore + $0) } ?? certificate.validity
    }
  }

  /// When the next order is due; nil when none is.
  private func wantedAt(_ now: Instant) -> Instant? {
    switch request.phase {
    case .queued: return request.waitUntil ?? now
    case .ordering: return now
    case .failed(_, let again): return again
    case .waitingForName(_, let again): return again
    case .awaitingApproval, .superseded: return nil
    case .notDue, .ready, .installed:
      guard let validity, let certificate else { return nil }
      if isTrialOfOther { return now }
      if lifetime == nil, let renewal { return renewal.dueAt }
      return RenewalSchedule(validity, issuedAt: certificate.issuedAt).dueAt(by: rule)
    }
  }

  /// The certificate is not of the CA that is to order.
  var isOfOtherAuthority: Bool { certificate.map { DirectoryURL($0.authority) != rule.authority } ?? false }

  /// It is of a CA for trials, and that is not the one.
  var isTrialOfOther: Bool { isOfOtherAuthority && certificate?.isForTrial == true }

  func slot(at now: Instant) -> Plan.Slot? {
    guard let wantedAt = wantedAt(now) else { return nil }
    let exemption: LedgerExemption =
      if isOfOtherAuthority { .none } else if renewal?.schedule.window != nil {
        .renewalInWindow
      } else if let served, Set(served.names) == Set(request.names) { .renewal } else { .none }
    // In a rehearsal a certificate that would have ended long ago is one that was renewed meanwhile.
    let end = lifetime == nil ? validity?.notAfter : validity.map { max($0.notAfter, now + ($0.notAfter - wantedAt)) }
    return Plan.Slot(
      device: request.device, slot: request.slot, names: request.names, wantedAt: wantedAt, end: end, exemption: exemption)
  }

  func warnings(_ device: DeviceRecord, at now: Instant) -> [String] {
    guard let validity else { return [] }
    var warnings: [String] = []
    let dueAt = RenewalSchedule(validity, issuedAt: validity.notBefore).dueAt(by: rule)
    let time = validity.notAfter - dueAt
    if device.connects, now - device.lastSeen > time {
      warnings.append(
        "The device \(device.key) was last here \((now - device.lastSeen).wholeDays) days ago; between due and end there are \(time.wholeDays) days.")
    }
    if validity.lifetime < .days(10), request.names.count > Self.mostShortLivedNames {
      warnings.append(
        "The certificate for \(request.names.summary) has \(request.names.count) names; CAs put \(Self.mostShortLivedNames) into certificates that live so short."
      )
    }
    return warnings
  }

  /// Let's Encrypt's profile shortlived (https://letsencrypt.org/docs/profiles/).
  private static let mostShortLivedNames = 25
}

/// What another CA would mean for the certificates that there are.
private struct ChangeForecast {
  private var staying: [Plan.Slot] = []
  private var replaced: [Plan.Slot] = []

  mutating func add(_ slot: Plan.Slot, isForTrial: Bool) {
    if isForTrial { replaced.append(slot) } else { staying.append(slot) }
  }

  /// All of them, as if they were to be replaced now.
  func slots(at now: Instant) -> [Plan.Slot] {
    (staying + replaced).map {
      Plan.Slot(device: $0.device, slot: $0.slot, names: $0.names, wantedAt: now, end: $0.end, exemption: $0.exemption)
    }
  }

  func view(allAtOnce plan: Plan) -> AuthorityChange {
    AuthorityChange(
      staying: staying.count, replaced: replaced.count, allAt: plan.turns.last?.at, limit: plan.turns.last { $0.limit != nil }?.limit?.description)
  }
}

extension Duration {
  fileprivate var wholeDays: Int64 { components.seconds / 86_400 }
}

extension PlannedTurn {
  fileprivate init(_ turn: Plan.Turn) {
    self.init(
      device: turn.slot.device, slot: turn.slot.slot, names: turn.slot.names, at: turn.at,
      limit: turn.limit?.description ?? (turn.isHeld ? "the CA, which can not be used" : nil), end: turn.slot.end)
  }
}

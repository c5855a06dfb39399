import GRDB
import PKI
import SchedulerAPI

// What the schedules of certificates bring about.
extension Transaction {
  /// A certificate is here: from now on this one has the schedule of its slot, and those before it have none.
  mutating func schedule(_ request: RequestRecord, _ validity: Validity, issuedAt: Instant) throws {
    for former in try RenewalRecord.of(request.device, slot: request.slot, from: database) {
      try RenewalRecord.delete(of: former.request, from: database)
    }
    try RenewalRecord(request, RenewalSchedule(validity, issuedAt: issuedAt), by: settings.renewalRule).insert(database)
    hasWork = true
  }

  /// The CA has said when it would like a certificate to be renewed, or could not. What comes late for one that has a successor is dropped.
  mutating func take(_ answer: RenewalSchedule.Answer, for id: RequestID) throws {
    guard let renewal = try RenewalRecord.of(id, from: database), let request = try RequestRecord.fetch(id, from: database) else { return }
    var schedule = renewal.schedule
    let remarks = schedule.take(answer, at: now, chance: chance.fraction)
    try keep(schedule, of: renewal)
    for remark in remarks {
      switch remark {
      case .pressing:
        try hurry(renewal)
        if try joinCampaign(id) { continue }
        try record(
          Event(
            .renewalPressing, "The CA wants the certificate for \(request.names.summary) replaced at once: it is, or is about to be, revoked.",
            device: request.device, request: id))
      case .explained(let page):
        if try isExplained(id, by: page) { continue }
        try record(
          Event(
            .renewalExplained, "The CA explains when the certificate for \(request.names.summary) should be renewed: \(page.line(of: 500))",
            device: request.device, request: id))
      }
    }
    hasWork = true
  }

  /// Keeps a schedule; a CSR that waits for its moment waits for the new one.
  private mutating func keep(_ schedule: RenewalSchedule, of renewal: RenewalRecord) throws {
    var changed = renewal
    changed.keep(schedule, by: settings.renewalRule)
    try changed.update(database)
    try moveKept(from: renewal, to: changed)
  }

  /// A CSR that waits for the moment of a renewal waits for the new one.
  mutating func moveKept(from renewal: RenewalRecord, to changed: RenewalRecord) throws {
    guard changed.dueAt != renewal.dueAt else { return }
    for request in try RequestRecord.current(of: renewal.device, slot: renewal.slot, from: database)
    where request.phase == .notDue(until: renewal.dueAt) {
      try handle(.postponed(until: changed.dueAt), of: request)
    }
  }
}

// The renewal of certificates that are due.
extension Transaction {
  /// Does what has come due by now: pauses that are over, kept CSRs, certificates without one, devices that did not answer, certificates that are offered again.
  mutating func catchUp() throws {
    let most = Self.mostAtOnce
    try Schema.endImpossiblePauses(at: now, in: database)
    try endWaitsForOtherLimits()
    // The rule, or the CA, may have been set anew.
    let otherwise = try RenewalRecord.byOtherRule(most, than: settings.renewalRule, from: database)
    try each(otherwise) { try $0.keep($1.schedule, of: $1) }
    try replaceTrials(among: otherwise.map(\.request))
    try each(readable(RequestRecord.due(most, at: now, from: database))) { try $0.tryAgain($1) }
    try each(readable(RequestRecord.cameDue(most, at: now, from: database))) { transaction, request in
      if try !transaction.claimLostNames(of: request) { try transaction.handle(.cameDue, of: request) }
    }
    try each(RenewalRecord.due(most, at: now, from: database)) { transaction, renewal in
      let newest = try RequestRecord.newest(of: renewal.device, slot: renewal.slot, from: transaction.database)
      try transaction.advance(renewal, .due(open: newest.map { $0.id != renewal.request && $0.phase.isOpen } ?? false))
    }
    try each(RenewalRecord.unanswered(most, at: now, from: database)) { try $0.advance($1, .patienceOver) }
    try each(RenewalRecord.toReview(most, at: now, from: database)) { try $0.reviewAlarms(of: $1.device) }
    try each(adoptedDue(most)) { try $0.askForAdopted($1) }
    if settings.servedPorts.isEmpty { try each(AlarmRecord.list(.notServed, limit: most, from: database)) { try $0.clear($1) } }
    try each(AlarmRecord.toTell(most, at: now, from: database)) { try $0.tellAgain($1) }
    try reviewCampaigns()
    try each(CertificateRecord.toAnnounce(most, at: now, from: database)) { try $0.offerAgain($1) }
  }

  /// How much of a kind is done in one transaction, so that others have their turn too.
  static let mostAtOnce = 1_000

  /// What is too much for one transaction, in portions; at least one, be it empty.
  static func portions<Element>(of all: [Element]) -> [ArraySlice<Element>] {
    stride(from: 0, to: max(1, all.count), by: mostAtOnce).map { all[$0..<min($0 + mostAtOnce, all.count)] }
  }

  /// Does something for each of what was found; where that is not all there is, the queue looks again at once.
  private mutating func each<Record>(_ found: [Record], _ body: (inout Transaction, Record) throws -> Void) throws {
    for record in found { try body(&self, record) }
    if found.count == Self.mostAtOnce { hasWork = true }
  }

  /// When there is something to catch up with next.
  func nextMoment() throws -> Instant? {
    let moments = [
      try RequestRecord.nextMoment(after: now, from: database), try RenewalRecord.nextMoment(after: now, from: database),
      try CertificateRecord.nextAnnouncement(from: database), try AlarmRecord.nextTelling(from: database),
      try AuthorityRecord.nextMoment(after: now, from: database), try CampaignRecord.nextDeadline(from: database),
      try settings.servedPorts.isEmpty ? nil : CertificateRecord.nextObservation(after: now, from: database),
      try DeviceRecord.nextAdoptedDue(from: database),
    ]
    // What has come is done; of what comes next there can be nothing in the past.
    return moments.compactMap(\.self).filter { $0 > now }.min()
  }

  /// A device is connected: what is due is asked of it, and it hears which of its alarms stand.
  mutating func greet(_ device: DeviceID, clock: Instant?) throws {
    try endLoginAlarm(of: device)
    if let clock { try reviewClock(clock, of: device) }
    for alarm in try AlarmRecord.of(device, from: database) { tell(alarm) }
    for renewal in try RenewalRecord.of(device, from: database) { try advance(renewal, .deviceCame) }
  }

  /// Something has happened to the renewals of a slot; there is one at most.
  mutating func advance(slot: String, of device: DeviceID, _ event: RenewalEvent) throws {
    for renewal in try RenewalRecord.of(device, slot: slot, from: database) { try advance(renewal, event) }
  }

  private mutating func advance(_ renewal: RenewalRecord, _ event: RenewalEvent) throws {
    guard let request = try RequestRecord.fetch(renewal.request, from: database),
      let device = try DeviceRecord.fetch(renewal.device, from: database)
    else { return }
    var machine = RenewalMachine(
      stage: renewal.stage, connects: device.connects, patience: settings.answerPatience, mayRepeat: try !isCompromised(request.keyPin))
    let actions = machine.handle(event, at: now)
    if machine.stage != renewal.stage {
      var changed = renewal
      changed.keep(machine.stage)
      try changed.update(database)
      reconsider(renewal.device)
      hasWork = true
    }
    for action in actions {
      switch action {
      case .askDevice: try ask(device, for: request, renewal)
      case .orderAgain: try orderAgain(request, renewal)
      }
    }
  }

  private mutating func ask(_ device: DeviceRecord, for request: RequestRecord, _ renewal: RenewalRecord) throws {
    let reason = renewal.demand?.reason ?? (renewal.schedule.isPressing ? .revoked : .due)
    let newKey = try isCompromised(request.keyPin)
    // A campaign has been told as a whole.
    if renewal.stage == .waiting, renewal.campaign == nil {
      let csr = newKey ? "a CSR with a new key" : "a CSR"
      try record(
        Event(
          .renewalDue,
          "The certificate for \(request.names.summary) is to be renewed (\(reason.rawValue)); "
            + (device.connects ? "its device is asked for \(csr) when it is connected." : "hand in \(csr) with `acme-connector request`."),
          device: request.device, request: request.id))
    }
    let certificate = try CertificateRecord.of(request.id, from: database)
    wish(
      RenewalWish(
        slot: request.slot, fingerprint: certificate?.fingerprint, names: request.names, reason: reason, newKey: newKey,
        deadline: renewal.demand?.deadline ?? renewal.schedule.validity.notAfter),
      from: request.device)
  }

  /// Orders the certificate's own CSR once more, unless that cannot succeed.
  private mutating func orderAgain(_ request: RequestRecord, _ renewal: RenewalRecord) throws {
    let latest = try RequestRecord.withCSR(request.csrHash, of: request.device, slot: request.slot, from: database).first
    if case .failed(_, again: nil) = latest?.phase { return }
    do {
      _ = try reorder(request, force: false)
      guard renewal.campaign == nil else { return }
      try record(
        Event(
          .renewalDue, "The certificate for \(request.names.summary) is due; it is ordered with the CSR that is kept.", device: request.device,
          request: request.id))
    } catch let refusal as Refusal {
      try recordSparingly(
        Event(
          .requestRefused, "\(refusal.word.rawValue): \(refusal.text)", device: request.device, request: request.id, name: refusal.name))
    }
  }

  /// A certificate that its device has not confirmed is told once more: when it is to be installed, and then now and again.
  private mutating func offerAgain(_ certificate: CertificateRecord) throws {
    guard let request = try RequestRecord.fetch(certificate.request, from: database) else { return }
    var certificate = certificate
    certificate.announceAt = request.phase == .ready ? now + Self.offerPause : nil
    try certificate.update(database)
    if request.phase == .ready { announce(request) }
  }

  /// How long after one offer a certificate without a receipt is offered again.
  static let offerPause = Duration.seconds(6 * 3_600)
}

extension DeviceRecord {
  /// Whether it ever connects; one whose CSRs an administrator hands in does not.
  var connects: Bool { scope != DeviceKey.administratorScope }
}

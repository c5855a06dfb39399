import GRDB
import PKI
import SchedulerAPI

// Which alarms stand.
extension Transaction {
  /// Decides the alarms of a device anew: those that are not standing are raised, those that are over end.
  mutating func reviewAlarms(of device: DeviceID) throws {
    guard let record = try DeviceRecord.fetch(device, from: database), record.retiredAt == nil else { return }
    var slots = try RequestRecord.slots(of: device, from: database).reduce(into: [String: SlotFacts]()) { slots, slot in
      slots[slot] = try facts(of: slot, of: record)
    }
    let hasRequests = !slots.isEmpty
    if !hasRequests, let adopted = record.adoptedCertificate(by: settings.renewalRule, at: now) {
      slots[Fleet.Application.standardSlot] = facts(of: adopted, of: record)
    }
    var standing = try AlarmRecord.of(device, from: database).filter(\.code.isOfSlot)
    var reviews: [Instant] = []
    for (slot, facts) in slots.sorted(by: { $0.key < $1.key }) {
      let verdict = AlarmVerdict(facts, at: now)
      for alarm in verdict.alarms {
        let same = standing.firstIndex { $0.slot == slot && $0.code == alarm.code }
        try raise(alarm, of: device, slot: slot, over: same.map { standing.remove(at: $0) })
      }
      if verdict.keepsFailure, let kept = standing.firstIndex(where: { $0.slot == slot && $0.code.isFailure }) {
        var alarm = standing[kept].alarm
        alarm.severity = verdict.severity
        try raise(alarm, of: device, slot: slot, over: standing.remove(at: kept))
      }
      let isScheduled = try RenewalRecord.review(slot: slot, of: device, at: verdict.reviewAt, in: database)
      if !isScheduled, let moment = verdict.reviewAt { reviews.append(moment) }
    }
    for over in standing { try clear(over) }
    // A slot with a CSR, and no certificate but the one that its device has brought with it, has no schedule.
    if hasRequests, record.adoptedDueAt != reviews.min() {
      try lookAtAdopted(of: record, at: reviews.min())
      hasWork = true
    }
  }

  private func facts(of slot: String, of device: DeviceRecord) throws -> SlotFacts? {
    let requests = try RequestRecord.current(of: device.id, slot: slot, from: database)
    guard let newest = requests.first else { return nil }
    var outcome: SlotFacts.Outcome =
      switch newest.phase {
      case .failed(let failure, _), .waitingForName(let failure, _): .failed(failure)
      case .ready, .installed, .notDue, .superseded: .served
      case .awaitingApproval(let name): .awaitingApproval(name, since: newest.changedAt)
      case .ordering: .ordering(since: newest.changedAt)
      case .queued: .underWay
      }
    if let limit = newest.waitFor, let moment = newest.waitUntil { outcome = .waiting(for: limit.description, until: moment) }
    var facts = SlotFacts(names: newest.names, outcome: outcome)
    if requests.contains(where: \.phase.isServed) {
      let inUse = try validity(of: requests.first { $0.phase == .installed })
      facts.inUse = try inUse ?? validity(of: requests.first { $0.phase == .ready })
    } else {
      facts.inUse = try device.validityBrought(for: newest.names, at: now, from: database)
    }
    if let renewal = try RenewalRecord.of(device.id, slot: slot, from: database).first, renewal.stage == .wanted(answerBy: nil),
      !newest.phase.isOpen
    {
      facts.wantedSince = renewal.dueAt
    }
    if device.connects, let ready = requests.first(where: { $0.phase == .ready }),
      let certificate = try CertificateRecord.of(ready.id, from: database)
    {
      facts.undelivered = .init(
        installAt: certificate.installAt, deliveredAt: certificate.deliveredAt, visit: try VisitRecord.of(device.id, from: database)?.time)
    }
    return facts
  }

  /// Of the certificate of a request, if there is one that anybody trusts: none that is revoked, or of a CA for trials that is not the one which is set.
  private func validity(of request: RequestRecord?) throws -> Validity? {
    guard let request, let certificate = try CertificateRecord.of(request.id, from: database), certificate.revokedAt == nil,
      !certificate.isForTrial || settings.authority(at: certificate.authority) != nil
    else { return nil }
    return certificate.validity
  }

  /// Raises an alarm, or goes on with one that stands.
  mutating func raise(_ alarm: Alarm, of device: DeviceID?, slot: String, over standing: AlarmRecord?) throws {
    guard var standing else {
      let tellAt = device.map { _ in now + settings.alarmPause }
      var record = AlarmRecord(alarm, device: device, slot: slot, since: now, tellAt: tellAt)
      try record.insert(database)
      try self.record(Event(.alarmRaised, "\(alarm.code.rawValue): \(alarm.text)", device: device, name: alarm.name))
      tell(record)
      return
    }
    guard standing.alarm != alarm else { return }
    let isGraver = standing.severity < alarm.severity
    (standing.severity, standing.text, standing.name) = (alarm.severity, alarm.text, alarm.name)
    try standing.update(database)
    if isGraver {
      try record(Event(.alarmRaised, "\(alarm.code.rawValue), graver now: \(alarm.text)", device: device, name: alarm.name))
      tell(standing)
    }
  }

  mutating func clear(_ standing: AlarmRecord) throws {
    try standing.delete(database)
    try record(Event(.alarmCleared, "\(standing.code.rawValue) is over: \(standing.text)", device: standing.device, name: standing.name))
    tell(standing, isOver: true)
  }

  /// A device is told again of what stands. That logins were refused is over when it is not said again.
  mutating func tellAgain(_ alarm: AlarmRecord) throws {
    guard alarm.code != .loginRefused else { return try clear(alarm) }
    var alarm = alarm
    alarm.tellAt = now + settings.alarmPause
    try alarm.update(database)
    tell(alarm)
  }

  /// A device's clock as it was when the device told of itself.
  mutating func reviewClock(_ clock: Instant, of device: DeviceID) throws {
    let standing = try AlarmRecord.of(device, from: database).first { $0.code == .clockWrong }
    let difference = max(clock - now, now - clock)
    if difference > Self.clockTolerance {
      let text = "The device's clock shows \(clock), and it is \(now): it may take valid certificates for invalid ones."
      try raise(Alarm(code: .clockWrong, severity: .indeterminate, text: text), of: device, slot: "", over: standing)
    } else if let standing {
      try clear(standing)
    }
  }

  /// This machine's clock, beside that of the CA.
  mutating func reviewOwnClock(by date: Instant, of directory: String) throws {
    let standing = try AlarmRecord.of(nil, from: database).first { $0.code == .clockWrong }
    if max(date - now, now - date) > Self.clockTolerance {
      let text = "This machine's clock shows \(now), and that of \(directory) \(date): certificates are renewed at the wrong time; set the clock."
      try raise(Alarm(code: .clockWrong, severity: .major, text: text), of: nil, slot: "", over: standing)
    } else if let standing {
      try clear(standing)
    }
  }

  /// CAs date certificates back an hour for clocks that are behind.
  fileprivate static let clockTolerance = Duration.seconds(1_800)
}

extension Fleet {
  /// A CA has shown its clock in the middle of something. Where both agree nothing is written: that they do again is seen at the end of it.
  func compareClock(with date: Instant, of directory: String) async throws {
    let now = clock.now()
    guard max(date - now, now - date) > Transaction.clockTolerance else { return }
    try await transact { try $0.reviewOwnClock(by: date, of: directory) }
  }
}

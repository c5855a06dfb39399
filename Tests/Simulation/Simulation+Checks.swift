import PKI
import SchedulerAPI

// What has to hold at any time.
extension Simulation {
  mutating func complain(_ number: Int, _ what: String) {
    let day = (now - start).components.seconds / 86_400
    violations.append("day \(day): \(devices[number].name) (\(devices[number].manner)) \(what)")
  }

  /// What the connector knows of a slot when it decides the alarms.
  private func facts(of number: Int) -> SlotFacts {
    let slot = state.slots[number]
    let outcome: SlotFacts.Outcome =
      switch (slot.isOrdering, slot.machine.phase) {
      case (true, .failed(let failure, _)): .failed(failure)
      case (true, _): slot.waiting.map { .waiting(for: $0.limit, until: $0.until) } ?? .underWay
      case (false, _): .served
      }
    var facts = SlotFacts(names: [devices[number].name], outcome: outcome, inUse: slot.inUse ?? slot.ready?.validity)
    if slot.stage == .wanted(answerBy: nil), !slot.isOrdering { facts.wantedSince = slot.schedule?.dueAt(by: rule) }
    if let ready = slot.ready {
      facts.undelivered = .init(
        installAt: ready.installAt, deliveredAt: devices[number].fetchedAt, visit: devices[number].visit(at: now))
    }
    return facts
  }

  /// Decides anew whether the device is in alarm.
  mutating func review(_ number: Int) {
    let verdict = AlarmVerdict(facts(of: number), at: clock)
    state.slots[number].isAlarmed = !verdict.alarms.isEmpty || (state.slots[number].isAlarmed && verdict.keepsFailure)
  }

  /// A failure is the device's, or the CA's.
  mutating func checkAlarm(_ number: Int, of failure: AttemptFailure) {
    if failure.concernsAuthority {
      if state.health.outage == nil { complain(number, "failed for a fault of the CA's that nobody is told of") }
    } else if !state.slots[number].isAlarmed {
      complain(number, "failed, and nobody is told of it")
    }
  }

  /// One certificate for each renewal; but what was issued after the backup was made is not known any more.
  mutating func checkIssue(_ number: Int, of validity: Validity, pressing: Bool) {
    let forgets = incidents.restore..<incidents.restore + .days(60)
    if let before = devices[number].issuedAt, now - before < validity.lifetime / 3, !pressing,
      !(forgets.contains(now) && incidents.backup <= before && before < incidents.restore)
    {
      complain(number, "got a second certificate for one renewal")
    }
    devices[number].issuedAt = now
  }

  /// The certificate ends now: it must not be in use any more.
  mutating func checkEnd(of validity: Validity, _ number: Int) {
    if devices[number].inUse == validity, devices[number].manner != .unreachable { complain(number, "has a certificate that ended") }
  }

  /// The CA revokes what it wanted replaced: nobody who is there uses it any more.
  mutating func checkRevocation() {
    for device in devices where device.stays && device.manner != .unreachable {
      if let inUse = device.inUse, authority.recalls(inUse, of: device.number) { complain(device.number, "has a certificate that is revoked") }
    }
  }

  /// Looks at all devices: none may be near its end without an alarm, and none in alarm that is well.
  mutating func audit() {
    guard !isStopped, offset == .zero else { return }
    for number in devices.indices {
      review(number)
      let (slot, device) = (state.slots[number], devices[number])
      let isWell = !slot.isOrdering && slot.ready == nil && slot.stage == .waiting
      if isWell, slot.isAlarmed { complain(number, "has an alarm that is left") }
      if let inUse = device.inUse, now > inUse.notAfter - inUse.lifetime / 20, !slot.isAlarmed, state.health.outage == nil {
        complain(number, "is near the end of its certificate, and nobody is told of it")
      }
    }
  }

  /// All are served, and what was told of the CA is over.
  mutating func checkTheEnd() {
    for device in devices where [.diligent, .deaf, .newcomer].contains(device.manner) {
      if device.inUse == nil { complain(device.number, "never got a certificate") }
      if state.slots[device.number].isAlarmed { complain(device.number, "has an alarm that is left") }
    }
    if authorityAlarms.raised != authorityAlarms.cleared || authorityAlarms.raised > incidents.outages.count {
      violations.append("the CA was told to be out of order \(authorityAlarms.raised) times, and in order again \(authorityAlarms.cleared) times")
    }
  }
}

import PKI
import SchedulerAPI

// What has to hold at any time.
extension Simulation {
  mutating func complain(_ number: Int, _ what: String) {
    let day = (now - start).components.seconds / 86_400
    violations.append("day \(day): \(devices[number].names[0]) (\(devices[number].manner)) \(what)")
  }

  /// What the connector knows of a slot when it decides the alarms.
  private func facts(of number: Int) -> SlotFacts {
    let slot = state.slots[number]
    let outcome: SlotFacts.Outcome =
      switch (slot.isOrdering, slot.machine.phase) {
      case (true, .failed(let failure, _)), (true, .waitingForName(let failure, _)): .failed(failure)
      case (true, _): slot.waiting.map { .waiting(for: $0.limit.description, until: $0.until) } ?? .underWay
      case (false, _): .served
      }
    var facts = SlotFacts(names: devices[number].names, outcome: outcome, inUse: slot.inUse ?? slot.ready?.validity)
    if slot.stage == .wanted(answerBy: nil), !slot.isOrdering { facts.wantedSince = slot.schedule?.dueAt(by: rule) }
    if let ready = slot.ready {
      facts.undelivered = .init(
        installAt: ready.installAt, deliveredAt: devices[number].fetchedAt, visit: devices[number].visit(at: now))
    }
    return facts
  }

  /// Decides anew which alarms of the device stand; each change is written down.
  mutating func review(_ number: Int) {
    let verdict = AlarmVerdict(facts(of: number), at: clock)
    var over = state.slots[number].alarms
    for alarm in verdict.alarms where over.remove(alarm.code) == nil {
      state.slots[number].alarms.insert(alarm.code)
      state.events.record(.alarmRaised, of: number)
    }
    if verdict.keepsFailure, let kept = over.first(where: \.isFailure) { over.remove(kept) }
    for code in over {
      state.slots[number].alarms.remove(code)
      state.events.record(.alarmCleared, of: number)
    }
  }

  /// A failure is the device's, or the CA's. Of the device's there is an event for each, but for a name that is not answered for: nothing failed there.
  mutating func checkFailure(_ number: Int, _ failure: AttemptFailure) {
    if failure.concernsAuthority {
      if state.health.outage == nil { complain(number, "failed for a fault of the CA's that nobody is told of") }
      return
    }
    if state.slots[number].alarms.isEmpty { complain(number, "failed, and nobody is told of it") }
    if !failure.awaitsName { truth.noteFailure(of: number) }
    checkEvents(number)
  }

  private mutating func checkEvents(_ number: Int) {
    let (failed, told) = (truth.failures[number] ?? 0, state.events.count(.orderFailed, of: number))
    if failed != told { complain(number, "failed \(failed) times, and \(told) times it is written down") }
  }

  /// Nobody is kept waiting by orders under way without a word.
  mutating func checkPlace(_ number: Int, since: Instant?) {
    guard let since, now - since > Punctuality.tolerance * 2, !state.queue.isAlarmed, !(since...now).contains(incidents.stop.upperBound) else {
      return
    }
    complain(number, "waited \((now - since).components.seconds) s for its turn in the queue, and nobody is told that orders are late")
  }

  /// It has its turn: then there is room for all that are more urgent, too.
  mutating func checkTurn(_ number: Int, _ charges: [LedgerAccount], isEmergency: Bool) {
    guard !isEmergency else { return }
    let urgency = state.slots[number].urgency
    for account in charges {
      guard let line = state.queue.lines[account], state.ledger.roomAt(account, at: clock) > clock else { continue }
      if let other = line.first(where: { state.slots[$0.device].urgency < urgency }) {
        complain(number, "had its turn before \(devices[other.device].names[0]), which is more urgent")
      }
    }
  }

  /// The CA is asked for a certificate: the names are the device's, and were answered for, not long before if it waited for that.
  mutating func checkOrder(_ number: Int) {
    let device = devices[number]
    if device.manner == .successor, !truth.approved.contains(number) {
      complain(number, "is ordered a certificate for a name that is another device's")
    }
    if device.manner == .replaced, truth.approved.contains(number + 1) { complain(number, "is ordered a certificate for a name that it has no more") }
    guard truth.orderedAt[number] == nil else { return }
    truth.orderedAt[number] = now
    if device.manner == .unready, let cameAt = device.cameAt, now > cameAt + incidents.preparation + RetryPause.forName * 2 {
      complain(number, "waited \((now - cameAt - incidents.preparation).components.seconds) s after its name was answered for")
    }
  }

  /// One certificate for each renewal; but what was issued after the backup was made is not known any more.
  mutating func checkIssue(_ number: Int, of validity: Validity, wanted: Bool) {
    let forgets = incidents.restore..<incidents.restore + .days(60)
    if let before = devices[number].issuedAt, now - before < validity.lifetime / 3, !wanted,
      !(forgets.contains(now) && incidents.backup <= before && before < incidents.restore)
    {
      complain(number, "got a second certificate for one renewal")
    }
    devices[number].issuedAt = now
  }

  /// The certificate ends now: it must not be in use any more.
  mutating func checkEnd(of validity: Validity, _ number: Int) {
    if devices[number].inUse == validity, devices[number].isServedAlways { complain(number, "has a certificate that ended") }
  }

  /// The CA wants certificates replaced.
  mutating func noteRecall() {
    truth.recalled = devices.count { device in device.isServedAlways && device.inUse.map { authority.recalls($0, of: device.number) } ?? false }
  }

  /// The CA revokes what it wanted replaced: nobody who is there uses it any more.
  mutating func checkRevocation() {
    for device in devices where device.stays && device.isServedAlways {
      if let inUse = device.inUse, authority.recalls(inUse, of: device.number) { complain(device.number, "has a certificate that is revoked") }
    }
  }

  /// Looks at all devices: none may be near its end without an alarm, and none in alarm that is well; whatever was told is written down.
  mutating func audit() {
    reviewCampaign()
    guard !isStopped, offset == .zero else { return }
    for number in devices.indices {
      review(number)
      let (slot, device) = (state.slots[number], devices[number])
      let isWell = !slot.isOrdering && slot.ready == nil && slot.stage == .waiting
      if isWell, !slot.alarms.isEmpty { complain(number, "has an alarm that is left") }
      if let inUse = device.inUse, now > inUse.notAfter - inUse.lifetime / 20, slot.alarms.isEmpty, state.health.outage == nil {
        complain(number, "is near the end of its certificate, and nobody is told of it")
      }
      checkEvents(number)
      if state.events.count(.alarmRaised, of: number) - state.events.count(.alarmCleared, of: number) != slot.alarms.count {
        complain(number, "has other alarms than are written down")
      }
    }
  }

  /// All are served, and what was told is over.
  mutating func checkTheEnd() {
    for device in devices where device.isServedAlways && device.manner != .weekly {
      if device.inUse == nil { complain(device.number, "never got a certificate") }
      if !state.slots[device.number].alarms.isEmpty { complain(device.number, "has an alarm that is left") }
    }
    var faults: [String] = []
    func check(_ holds: Bool, _ what: String) { if !holds { faults.append(what) } }
    let (down, up) = (state.events.count(.authorityFailed), state.events.count(.authorityRecovered))
    check(down == up && down <= incidents.outages.count, "the CA was told to be out of order \(down) times, and in order again \(up) times")
    check(!state.queue.isAlarmed, "the alarm that orders are late is left")
    let claims = devices.count { $0.manner == .successor && $0.cameAt != nil }
    check(
      state.events.count(.nameClaimed) == claims,
      "\(claims) names were asked for that are others', and \(state.events.count(.nameClaimed)) times told")
    violations += faults
    checkCampaigns()
  }

  /// What the CA wanted replaced at once was told of as one campaign, which is over.
  private mutating func checkCampaigns() {
    guard PressingRenewal.isCampaign(of: truth.recalled) else { return }
    let (began, ended, single) = (
      state.events.count(.campaignBegan), state.events.count(.campaignEnded), state.events.count(.renewalPressing)
    )
    if began != 1 || ended != 1 || PressingRenewal.isCampaign(of: single) {
      violations.append(
        "of \(truth.recalled) certificates to be replaced \(single) were told alone, in \(began) campaigns, of which \(ended) are over")
    }
  }
}

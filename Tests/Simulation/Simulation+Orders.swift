import ACMEClientAPI
import Chance
import PKI
import SchedulerAPI

// From a CSR to its certificate, by way of the queue.
extension Simulation {
  /// A CSR is here.
  mutating func order(_ number: Int) {
    guard !state.slots[number].isOrdering else { return }
    state.requests += 1
    let schedule = state.slots[number].schedule
    let neededBy = Urgency.neededBy(
      end: schedule?.validity.notAfter, deadline: nil, isEmergency: schedule?.isPressing ?? false, at: clock)
    state.slots[number].isOrdering = true
    state.slots[number].urgency = Urgency(neededBy: neededBy, number: state.requests)
    let claimed = claimedName(of: number)
    state.slots[number].machine = RequestMachine(awaiting: claimed)
    if claimed != nil { return claim(number) }
    for name in devices[number].names { state.holders[name] = number }
    put(.attempt, number, at: clock)
  }

  /// Its name is another's; an administrator is told, and decides some time.
  private mutating func claim(_ number: Int) {
    state.events.record(.nameClaimed, of: number)
    world.put(.approve(number), at: now + incidents.deliberation)
  }

  private func claimedName(of number: Int) -> DNSName? {
    let others = devices[number].names.filter { state.holders[$0].map { $0 != number } ?? false }
    guard broken != .approval, !others.isEmpty else { return nil }
    func party(_ number: Int) -> NameBinding.Party { .init(device: DeviceID(rawValue: "\(number)"), scope: "instance", isReverseProxy: false) }
    return NameBinding(others, for: party(number), holders: state.holders.filter { others.contains($0.key) }.mapValues(party)).claimed.first
  }

  /// The name that it waited for is its own.
  mutating func grant(_ number: Int) {
    _ = state.slots[number].machine.handle(.namesGranted, at: clock)
    put(.attempt, number, at: clock)
  }

  /// After a restart.
  mutating func takeUp(_ number: Int) {
    let slot = state.slots[number]
    switch slot.machine.phase {
    case .ordering: put(.outcome, number, at: clock + authority.duration(at: now))
    case .failed(_, again: let again?), .waitingForName(_, again: let again): put(.attempt, number, at: again)
    default: put(.attempt, number, at: slot.waiting?.until ?? clock)
    }
  }

  /// A pause is over, or its turn at a limit has come.
  mutating func call(_ number: Int) {
    let slot = state.slots[number]
    guard slot.isOrdering else { return }
    switch slot.machine.phase {
    case .failed(_, again: let again?) where again <= clock, .waitingForName(_, again: let again) where again <= clock:
      _ = state.slots[number].machine.handle(.triedAgain, at: clock)
    case .queued where slot.waiting.map({ $0.until <= clock }) ?? true: break
    default: return
    }
    state.queue.call(number, at: clock)
    if truth.calledAt[number] == nil { truth.calledAt[number] = now }
    lookSoon()
  }

  private mutating func lookSoon(after pause: Duration = .zero) {
    let moment = clock + pause
    if let planned = look.at, planned <= moment { return }
    look = (look.number + 1, moment)
    errands.put(Errand(work: .look, number: look.number), at: moment)
  }

  /// Begins what there is a place for, most urgent first.
  mutating func lookAtQueue(_ lookNumber: Int) {
    guard lookNumber == look.number else { return }
    look.at = nil
    if state.queue.underWay < ModelQueue.places {
      let called = state.queue.called.keys.map(entry).sorted { $0.rank < $1.rank }
      for entry in called where state.queue.underWay < ModelQueue.places { begin(entry.device) }
    }
    reviewPunctuality()
    if !state.queue.called.isEmpty || state.queue.isAlarmed { lookSoon(after: .seconds(900)) }
  }

  private mutating func reviewPunctuality() {
    let waitingSince = state.health.outage == nil ? state.queue.waitingSince : nil
    let isLate = Punctuality(overdueSince: nil, waitingSince: waitingSince).alarm(at: clock) != nil
    guard isLate != state.queue.isAlarmed, broken != .lateness else { return }
    state.queue.isAlarmed = isLate
    state.events.record(isLate ? .alarmRaised : .alarmCleared)
  }

  private func rank(of number: Int) -> Urgency {
    let urgency = state.slots[number].urgency
    return broken == .urgency ? Urgency(neededBy: .earliest, number: urgency.number) : urgency
  }

  private func entry(_ number: Int) -> ModelQueue.Entry { .init(device: number, rank: rank(of: number)) }

  /// It waits for no limit any more.
  private mutating func leaveLine(_ number: Int) -> LedgerAccount? {
    guard let limit = state.slots[number].waiting?.limit else { return nil }
    state.queue.leave(entry(number), for: limit)
    state.slots[number].waiting = nil
    return limit
  }

  /// Whoever is next for a limit waits no longer than until that has room.
  private mutating func callNext(for limit: LedgerAccount) {
    guard let next = state.queue.first(for: limit), let told = state.slots[next].waiting?.until else { return }
    let room = state.ledger.roomAt(limit, isEmergency: emergency(of: next) <= clock, at: clock)
    guard room < told else { return }
    state.slots[next].waiting = (limit, max(room, clock))
    put(.attempt, next, at: max(room, clock))
  }

  /// Its certificate is as good as over: what is to replace it comes before all others.
  mutating func hurry(_ number: Int) {
    guard state.slots[number].isOrdering, state.slots[number].machine.phase == .queued else { return }
    _ = leaveLine(number)
    state.slots[number].urgency = Urgency(neededBy: clock, number: state.slots[number].urgency.number)
    put(.attempt, number, at: clock)
  }

  /// From when on it may spend what is kept for emergencies.
  private func emergency(of number: Int) -> Instant {
    state.slots[number].schedule.map { $0.isPressing ? .earliest : $0.validity.emergencyFrom } ?? .latest
  }

  private mutating func begin(_ number: Int) {
    let limit = leaveLine(number)
    let (slot, device) = (state.slots[number], devices[number])
    let since = truth.calledAt.removeValue(forKey: number)
    _ = state.queue.leaveCalled(number)
    if claimedName(of: number) != nil, let name = device.names.first {
      _ = state.slots[number].machine.handle(.nameTaken(name), at: clock)
      return claim(number)
    }
    let window = slot.schedule?.window
    let isInWindow = window.map { $0.start <= clock && clock < $0.end } ?? false
    let isRenewal = slot.schedule != nil && slot.names == device.names
    let charges = Ledger.charges(device.names, isInWindow ? .renewalInWindow : isRenewal ? .renewal : .none, suffixes: suffixes)
    let failures = device.names.map(LedgerAccount.failures)
    state.ledger.open(charges + failures, by: limits)
    let emergency = emergency(of: number)
    let isEmergency = emergency <= clock
    let ahead =
      isEmergency
      ? state.queue.ahead(of: rank(of: number), for: charges + failures) { self.emergency(of: $0) <= clock }
      : state.queue.ahead(of: rank(of: number), for: charges + failures)
    let wait = state.ledger.wait(for: charges, names: device.names, isEmergency: isEmergency, at: clock, ahead: ahead)
    if broken != .ledger, let wait {
      let moment = isEmergency ? wait.until : min(wait.until, emergency)
      state.slots[number].waiting = (wait.account, moment)
      state.queue.join(entry(number), for: wait.account)
      put(.attempt, number, at: moment)
      return review(number)
    }
    guard state.health.mayOrder(at: clock) else {
      return put(.attempt, number, at: (state.health.outage?.retryAt ?? clock) + .seconds(1))
    }
    checkPlace(number, since: since)
    _ = state.slots[number].machine.handle(.orderBegan, at: clock)
    state.slots[number].charges = charges
    state.ledger.spend(charges, at: clock)
    if let limit { callNext(for: limit) }
    checkTurn(number, charges, isEmergency: isEmergency)
    if device.manner == .unready, now < (device.cameAt ?? now) + incidents.preparation {
      let word: Problem.Word = broken == .names ? .nameUnreachable : .nameNotReady
      return fail(number, AttemptFailure(error: word, text: "nobody answers for it yet", name: device.names.first))
    }
    if authority.isDown(at: now) { return fail(number, AttemptFailure(error: .caUnavailable, text: "503")) }
    checkOrder(number)
    if let limit = authority.order(names: device.allNames, domain: device.domain.value, replacing: window, isRenewal: isRenewal, at: now) {
      complain(number, "ran into a limit of the CA: \(limit)")
      return fail(number, AttemptFailure(error: .rateLimited, text: limit))
    }
    state.queue.underWay += 1
    put(.outcome, number, at: clock + authority.duration(at: now))
  }

  /// The order is over.
  mutating func end(_ number: Int) {
    guard state.slots[number].machine.phase == .ordering else { return }
    let device = devices[number]
    state.queue.underWay -= 1
    if !state.queue.called.isEmpty { lookSoon() }
    guard device.isReachable(at: now, since: start) else {
      authority.dropOrder(for: device.allNames)
      state.ledger.spend(device.names.map(LedgerAccount.failures), at: clock)
      return fail(number, AttemptFailure(error: .nameUnreachable, text: "no answer", name: device.names.first))
    }
    note(state.health.take(nil, jitter: generator.fraction(), at: clock))
    issued(number, authority.issue(for: device.allNames, at: now))
  }

  private mutating func fail(_ number: Int, _ failure: AttemptFailure) {
    let charges = state.slots[number].charges
    state.ledger.giveBack(charges, isOrderMade: !failure.awaitsName)
    for account in charges { callNext(for: account) }
    if failure.awaitsName {
      state.health.orderNotMade(at: clock)
    } else {
      failures += 1
      note(state.health.take(failure, jitter: generator.fraction(), at: clock))
      if !failure.concernsAuthority, broken != .events { state.events.record(.orderFailed, of: number) }
    }
    _ = state.slots[number].machine.handle(.failed(failure, jitter: generator.fraction()), at: clock)
    switch state.slots[number].machine.phase {
    case .failed(_, again: let again?), .waitingForName(_, again: let again): put(.attempt, number, at: again)
    default: complain(number, "is not tried again")
    }
    if broken != .alarms { review(number) }
    checkFailure(number, failure)
  }

  private mutating func note(_ remarks: [AuthorityHealth.Remark]) {
    for remark in remarks {
      switch remark {
      case .failed: state.events.record(.authorityFailed)
      case .recovered: state.events.record(.authorityRecovered)
      }
    }
  }

  private mutating func issued(_ number: Int, _ validity: Validity) {
    let slot = state.slots[number]
    let isForOthers = slot.names != devices[number].names
    if let schedule = slot.schedule, !isForOthers, clock < schedule.dueAt(by: rule) { complain(number, "got a certificate before one was due") }
    checkIssue(number, of: validity, wanted: isForOthers || slot.schedule?.isPressing ?? false)
    let installAt =
      slot.schedule.map { schedule in
        schedule.isPressing || isForOthers
          ? clock : schedule.validity.successorInstallAt(dueAt: schedule.dueAt(by: rule), installDays: installDays, now: clock)
      } ?? clock
    _ = state.slots[number].machine.handle(.issued, at: clock)
    let schedule = RenewalSchedule(validity, issuedAt: clock)
    state.slots[number].schedule = schedule
    state.slots[number].stage = .waiting
    state.slots[number].isOrdering = false
    state.slots[number].names = devices[number].names
    state.slots[number].ready = .init(validity: validity, installAt: installAt)
    devices[number].fetchedAt = nil
    state.slots[number].generation += 1
    state.pressing.waiting.remove(number)
    state.campaign?.members.remove(number)
    put(.poll, number, at: clock)
    put(.due, number, at: schedule.dueAt(by: rule))
    world.put(.end(number, validity), at: validity.notAfter)
    if devices[number].isHere(at: now) { fetch(number) }
    review(number)
  }
}

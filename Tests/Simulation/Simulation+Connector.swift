import Chance
import PKI
import SchedulerAPI

// The connector's side: all its decisions are the scheduler's own.
extension Simulation {
  mutating func run(_ errand: Errand) {
    let number = errand.number
    guard state.slots[number].generation == errand.generation else { return }
    switch errand.work {
    case .poll: poll(number)
    case .due: due(number)
    case .patienceOver: advance(number, .patienceOver)
    case .attempt: attempt(number)
    }
  }

  private mutating func put(_ work: Work, _ number: Int, at moment: Instant) {
    errands.put(Errand(work: work, number: number, generation: state.slots[number].generation), at: moment)
  }

  /// The connector's disk is lost; it goes on with what the backup holds, and all devices come back.
  mutating func restore() {
    guard let backup else { return }
    state = backup
    if broken != .caution { state.ledger = Ledger(state.ledger.buckets, knownSince: clock) }
    errands = Agenda()
    for number in state.slots.indices {
      let slot = state.slots[number]
      if let pollAt = slot.schedule?.pollAt { put(.poll, number, at: pollAt) }
      if let dueAt = slot.schedule?.dueAt(by: rule) { put(.due, number, at: dueAt) }
      if case .wanted(let answerBy?) = slot.stage { put(.patienceOver, number, at: answerBy) }
      if slot.isOrdering { put(.attempt, number, at: clock) }
      if devices[number].stays { world.put(.come(number), at: now + .seconds(60) * generator.fraction()) }
    }
  }

  private mutating func poll(_ number: Int) {
    guard var schedule = state.slots[number].schedule else { return }
    polls += 1
    let before = schedule.dueAt(by: rule)
    let answer: RenewalSchedule.Answer =
      authority.isDown(at: now)
      ? .temporaryError(retryAfter: nil) : authority.window(of: schedule.validity, device: number, at: now)
    let chance = generator.fraction()
    _ = schedule.take(answer, at: clock, chance: { chance })
    state.slots[number].schedule = schedule
    if broken != .polling, let next = schedule.pollAt { put(.poll, number, at: next) }
    let dueAt = schedule.dueAt(by: rule)
    if dueAt != before { put(.due, number, at: dueAt) }
  }

  private mutating func due(_ number: Int) {
    let slot = state.slots[number]
    guard let schedule = slot.schedule, slot.stage == .waiting, schedule.dueAt(by: rule) <= clock else { return }
    advance(number, .due(open: slot.isOrdering))
  }

  mutating func advance(_ number: Int, _ event: RenewalEvent) {
    if broken == .patience, event == .patienceOver { return }
    var machine = RenewalMachine(stage: state.slots[number].stage, connects: true, patience: patience)
    let actions = machine.handle(event, at: clock)
    state.slots[number].stage = machine.stage
    for action in actions {
      switch action {
      case .askDevice: if devices[number].isHere(at: now) { ask(number) }
      case .orderAgain: order(number)
      }
    }
    review(number)
  }

  /// The device is there and is asked.
  private mutating func ask(_ number: Int) {
    advance(number, .told)
    if devices[number].manner == .deaf {
      put(.patienceOver, number, at: clock + patience)
    } else {
      advance(number, .requested)
      order(number)
    }
  }

  mutating func order(_ number: Int) {
    guard !state.slots[number].isOrdering else { return }
    state.slots[number].isOrdering = true
    state.slots[number].machine = RequestMachine(awaiting: nil)
    put(.attempt, number, at: clock)
  }

  private mutating func attempt(_ number: Int) {
    let (slot, device) = (state.slots[number], devices[number])
    let window = slot.schedule?.window
    let isInWindow = window.map { $0.start <= clock && clock < $0.end } ?? false
    let exemption: LedgerExemption = isInWindow ? .renewalInWindow : slot.schedule == nil ? .none : .renewal
    let charges = Ledger.charges([device.name], exemption, suffixes: suffixes)
    state.ledger.open(charges + [.failures(device.name)], by: limits)
    let isEmergency = slot.schedule.map { $0.isPressing || clock >= $0.validity.notAfter - $0.validity.lifetime / 10 } ?? false
    state.slots[number].waiting = nil
    if broken != .ledger, let wait = state.ledger.wait(for: charges, names: [device.name], isEmergency: isEmergency, at: clock) {
      state.slots[number].waiting = (wait.account.description, wait.until)
      put(.attempt, number, at: wait.until)
      return review(number)
    }
    guard state.health.mayOrder(at: clock) else {
      return put(.attempt, number, at: (state.health.outage?.retryAt ?? clock) + .seconds(1))
    }
    _ = state.slots[number].machine.handle(.triedAgain, at: clock)
    _ = state.slots[number].machine.handle(.orderBegan, at: clock)
    state.ledger.spend(charges, at: clock)
    if authority.isDown(at: now) { return fail(number, AttemptFailure(error: "caUnavailable", text: "503"), charges) }
    guard device.isReachable(at: now, since: start) else {
      state.ledger.spend([.failures(device.name)], at: clock)
      return fail(number, AttemptFailure(error: "nameUnreachable", text: "no answer", name: device.name), charges)
    }
    note(state.health.take(nil, jitter: generator.fraction(), at: clock))
    switch authority.order(
      name: device.name.value, domain: device.domain.value, replacing: window, isRenewal: slot.schedule != nil, at: now)
    {
    case .limited(let limit): complain(number, "ran into a limit of the CA: \(limit)")
    case .issued(let validity): issued(number, validity)
    }
  }

  private mutating func fail(_ number: Int, _ failure: AttemptFailure, _ charges: [LedgerAccount]) {
    failures += 1
    state.ledger.giveBack(charges)
    note(state.health.take(failure, jitter: generator.fraction(), at: clock))
    _ = state.slots[number].machine.handle(.failed(failure, jitter: generator.fraction()), at: clock)
    guard case .failed(_, let again?) = state.slots[number].machine.phase else { return complain(number, "is not tried again") }
    put(.attempt, number, at: again)
    if broken != .alarms { review(number) }
    checkAlarm(number, of: failure)
  }

  private mutating func note(_ remarks: [AuthorityHealth.Remark]) {
    for remark in remarks {
      switch remark {
      case .failed: authorityAlarms.raised += 1
      case .recovered: authorityAlarms.cleared += 1
      }
    }
  }

  private mutating func issued(_ number: Int, _ validity: Validity) {
    let slot = state.slots[number]
    if let schedule = slot.schedule, clock < schedule.dueAt(by: rule) { complain(number, "got a certificate before one was due") }
    checkIssue(number, of: validity, pressing: slot.schedule?.isPressing ?? false)
    let installAt =
      slot.schedule.map { schedule in
        schedule.isPressing
          ? clock : schedule.validity.successorInstallAt(dueAt: schedule.dueAt(by: rule), installDays: installDays, now: clock)
      } ?? clock
    _ = state.slots[number].machine.handle(.issued, at: clock)
    let schedule = RenewalSchedule(validity, issuedAt: clock)
    state.slots[number].schedule = schedule
    state.slots[number].stage = .waiting
    state.slots[number].isOrdering = false
    state.slots[number].ready = .init(validity: validity, installAt: installAt)
    devices[number].fetchedAt = nil
    state.slots[number].generation += 1
    put(.poll, number, at: clock)
    put(.due, number, at: schedule.dueAt(by: rule))
    world.put(.end(number, validity), at: validity.notAfter)
    if devices[number].isHere(at: now) { fetch(number) }
    review(number)
  }
}

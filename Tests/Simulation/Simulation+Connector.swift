import Chance
import PKI
import SchedulerAPI

// The connector's side: all its decisions are the scheduler's own.
extension Simulation {
  mutating func run(_ errand: Errand) {
    let number = errand.number
    if errand.work == .look { return lookAtQueue(number) }
    guard state.slots[number].generation == errand.generation else { return }
    switch errand.work {
    case .poll: poll(number)
    case .due: due(number)
    case .patienceOver: advance(number, .patienceOver)
    case .attempt: call(number)
    case .outcome: end(number)
    case .look: break
    }
  }

  mutating func put(_ work: Work, _ number: Int, at moment: Instant) {
    errands.put(Errand(work: work, number: number, generation: state.slots[number].generation), at: moment)
  }

  /// The connector's disk is lost; it goes on with what the backup holds, and all devices come back.
  mutating func restore() {
    guard let backup else { return }
    state = backup
    look.at = nil
    if broken != .caution { state.ledger = Ledger(state.ledger.buckets, knownSince: clock) }
    errands = Agenda()
    truth.forget(but: state.events)
    for number in state.slots.indices {
      let slot = state.slots[number]
      if let pollAt = slot.schedule?.pollAt { put(.poll, number, at: pollAt) }
      if let dueAt = slot.schedule?.dueAt(by: rule) { put(.due, number, at: dueAt) }
      if case .wanted(let answerBy?) = slot.stage { put(.patienceOver, number, at: answerBy) }
      if slot.isOrdering { takeUp(number) }
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
    let remarks = schedule.take(answer, at: clock, chance: { chance })
    state.slots[number].schedule = schedule
    if remarks.contains(.pressing) { press(number) }
    if broken != .polling, let next = schedule.pollAt { put(.poll, number, at: next) }
    let dueAt = schedule.dueAt(by: rule)
    if dueAt != before { put(.due, number, at: dueAt) }
  }

  /// The CA wants a certificate replaced ahead of its time.
  private mutating func press(_ number: Int) {
    hurry(number)
    let told = state.pressing.told.count { $0 >= clock - PressingRenewal.span }
    state.pressing.waiting.insert(number)
    let verdict = PressingRenewal(hasCampaign: state.campaign != nil, waiting: state.pressing.waiting.count, told: told)
    switch broken == .campaigns ? .alone : verdict {
    case .alone:
      state.pressing.told.append(clock)
      state.events.record(.renewalPressing, of: number)
    case .joinsCampaign:
      state.pressing.waiting.remove(number)
      state.campaign?.members.insert(number)
    case .beginsCampaign:
      state.campaign = (state.pressing.waiting, clock)
      state.pressing.waiting = []
      state.events.record(.campaignBegan)
    }
  }

  /// A campaign whose certificates are all renewed is over.
  mutating func reviewCampaign() {
    guard let campaign = state.campaign, campaign.members.isEmpty, clock >= campaign.startedAt + PressingRenewal.span else { return }
    state.campaign = nil
    state.events.record(.campaignEnded)
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
}

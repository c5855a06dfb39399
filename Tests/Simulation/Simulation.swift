import PKI
import SchedulerAPI

/// What is left out on purpose, to see that the simulation notices.
enum BrokenRule: String, CaseIterable {
  case none
  /// Nothing waits for the CA's limits.
  case ledger
  /// A device that does not answer is waited for.
  case patience
}

/// The scheduler's decisions, with model devices and a model CA, through the years: deterministic, and checked as it runs.
struct Simulation {
  enum Entry {
    case come(Int)
    case poll(Int, generation: Int)
    case due(Int, generation: Int)
    case patienceOver(Int, generation: Int)
    case attempt(Int, generation: Int)
    case install(Int, generation: Int)
    case end(Int, Validity)
  }

  let start = Instant(milliseconds: 1_795_478_400_000)
  let broken: BrokenRule
  private(set) var devices: [ModelDevice]
  private(set) var authority: ModelAuthority
  private(set) var violations: [String] = []
  private(set) var polls = 0
  private(set) var failures = 0
  private var agenda = Agenda<Entry>()
  private var generator: SeededGenerator
  private var ledger: Ledger
  private var health = AuthorityHealth()
  private let limits = AuthorityLimits()
  /// Each group of devices has a registered domain.
  private let suffixes = PublicSuffixList(text: "com\nexample.com")
  private let rule = RenewalRule()
  private let patience = Duration.seconds(600)

  init(devices count: Int, seed: UInt64, broken: BrokenRule) {
    self.broken = broken
    generator = SeededGenerator(seed: seed)
    authority = ModelAuthority(start: start)
    ledger = Ledger([:])
    devices = (0..<count).compactMap { number in
      // A hundred devices share a domain: more than the CA serves in a week.
      guard let name = DNSName("h\(number).d\(number / 100).example.com"), let domain = name.parent else { return nil }
      let manner: ModelDevice.Manner =
        switch number % 20 {
        case 0: .unreachable
        case 1, 2: .weekly
        case 3, 4, 5: .deaf
        default: .diligent
        }
      return ModelDevice(number: number, manner: manner, name: name, domain: domain)
    }
    authority.revocation = (start + .days(400), 4)
  }

  /// Runs so many days; stops at the hundredth violation.
  mutating func run(days: Int) {
    for number in devices.indices { agenda.put(.come(number), at: start + .days(3) * generator.fraction()) }
    let end = start + .days(days)
    while let (moment, entry) = agenda.take(), moment < end, violations.count < 100 {
      // The connector does not run for five days; what came due meanwhile is done afterwards.
      let down = start + .days(200)..<start + .days(205)
      if down.contains(moment) { agenda.put(entry, at: down.upperBound) } else { handle(entry, at: moment) }
    }
    for device in devices where device.manner != .unreachable && device.manner != .weekly {
      if !AlarmVerdict(facts(of: device), at: end).alarms.isEmpty { complain(device, "has an alarm that is left", at: end) }
      if device.inUse == nil { complain(device, "never got a certificate", at: end) }
    }
  }

  private func facts(of device: ModelDevice) -> SlotFacts {
    var facts = SlotFacts(names: [device.name], outcome: device.isOrdering ? .underWay : .served, inUse: device.inUse)
    if device.stage == .wanted(answerBy: nil) { facts.wantedSince = device.schedule?.dueAt(by: rule) }
    if let delivered = device.delivered { facts.undelivered = .init(installAt: delivered.installAt, wasOffered: true) }
    return facts
  }

  private mutating func handle(_ entry: Entry, at now: Instant) {
    switch entry {
    case .come(let number): come(number, now)
    case .poll(let number, let generation): if devices[number].generation == generation { poll(number, now) }
    case .due(let number, let generation): if devices[number].generation == generation { due(number, now) }
    case .patienceOver(let number, let generation): if devices[number].generation == generation { advance(number, .patienceOver, now) }
    case .attempt(let number, let generation): if devices[number].generation == generation { attempt(number, now) }
    case .install(let number, let generation): if devices[number].generation == generation { install(number, now) }
    case .end(let number, let validity):
      let device = devices[number]
      if device.inUse == validity, device.manner != .unreachable { complain(device, "has a certificate that ended", at: now) }
    }
  }

  private mutating func complain(_ device: ModelDevice, _ what: String, at now: Instant) {
    let day = (now - start).components.seconds / 86_400
    violations.append("day \(day): \(device.name) (\(device.manner)) \(what)")
  }
}

// MARK: - The connector's side

extension Simulation {
  private mutating func poll(_ number: Int, _ now: Instant) {
    guard var schedule = devices[number].schedule else { return }
    polls += 1
    let before = schedule.dueAt(by: rule)
    let answer: RenewalSchedule.Answer =
      authority.isDown(at: now)
      ? .temporaryError(retryAfter: nil) : authority.window(of: schedule.validity, device: number, at: now)
    let chance = generator.fraction()
    _ = schedule.take(answer, at: now, chance: { chance })
    devices[number].schedule = schedule
    let generation = devices[number].generation
    if let next = schedule.pollAt { agenda.put(.poll(number, generation: generation), at: next) }
    let dueAt = schedule.dueAt(by: rule)
    if dueAt != before { agenda.put(.due(number, generation: generation), at: max(now, dueAt)) }
  }

  private mutating func due(_ number: Int, _ now: Instant) {
    guard let schedule = devices[number].schedule, devices[number].stage == .waiting, schedule.dueAt(by: rule) <= now else { return }
    advance(number, .due(open: false), now)
  }

  private mutating func advance(_ number: Int, _ event: RenewalEvent, _ now: Instant) {
    if broken == .patience, event == .patienceOver { return }
    var machine = RenewalMachine(stage: devices[number].stage, connects: true, patience: patience)
    let actions = machine.handle(event, at: now)
    devices[number].stage = machine.stage
    for action in actions {
      switch action {
      case .askDevice: if devices[number].connects { ask(number, now) }
      case .orderAgain: order(number, now)
      }
    }
  }

  /// The device is there and is asked.
  private mutating func ask(_ number: Int, _ now: Instant) {
    advance(number, .told, now)
    if devices[number].manner == .deaf {
      agenda.put(.patienceOver(number, generation: devices[number].generation), at: now + patience)
    } else {
      advance(number, .requested, now)
      order(number, now)
    }
  }

  private mutating func order(_ number: Int, _ now: Instant) {
    guard !devices[number].isOrdering else { return }
    devices[number].isOrdering = true
    devices[number].machine = RequestMachine(awaiting: nil)
    agenda.put(.attempt(number, generation: devices[number].generation), at: now)
  }

  private mutating func attempt(_ number: Int, _ now: Instant) {
    let device = devices[number]
    let window = device.schedule?.window
    let isInWindow = window.map { $0.start <= now && now < $0.end } ?? false
    let exemption: LedgerExemption = isInWindow ? .renewalInWindow : device.schedule == nil ? .none : .renewal
    let charges = Ledger.charges([device.name], exemption, suffixes: suffixes)
    ledger.open(charges + [.failures(device.name)], by: limits)
    let isEmergency = device.schedule.map { $0.isPressing || now >= $0.validity.notAfter - $0.validity.lifetime / 10 } ?? false
    if broken != .ledger, let wait = ledger.wait(for: charges, names: [device.name], isEmergency: isEmergency, at: now) {
      return agenda.put(.attempt(number, generation: device.generation), at: wait.until)
    }
    guard health.mayOrder(at: now) else {
      return agenda.put(.attempt(number, generation: device.generation), at: (health.outage?.retryAt ?? now) + .seconds(1))
    }
    _ = devices[number].machine.handle(.triedAgain, at: now)
    _ = devices[number].machine.handle(.orderBegan, at: now)
    ledger.spend(charges, at: now)
    if authority.isDown(at: now) {
      return fail(number, AttemptFailure(error: "caUnavailable", text: "503"), charges, now)
    }
    guard device.isReachable(at: now, since: start) else {
      ledger.spend([.failures(device.name)], at: now)
      return fail(number, AttemptFailure(error: "nameUnreachable", text: "no answer", name: device.name), charges, now)
    }
    _ = health.take(nil, jitter: generator.fraction(), at: now)
    switch authority.order(
      name: device.name.value, domain: device.domain.value, replacing: window, isRenewal: device.schedule != nil, at: now)
    {
    case .limited(let limit): complain(device, "ran into a limit of the CA: \(limit)", at: now)
    case .issued(let validity): issued(number, validity, now)
    }
  }

  private mutating func fail(_ number: Int, _ failure: AttemptFailure, _ charges: [LedgerAccount], _ now: Instant) {
    failures += 1
    ledger.giveBack(charges)
    _ = health.take(failure, jitter: generator.fraction(), at: now)
    _ = devices[number].machine.handle(.failed(failure, jitter: generator.fraction()), at: now)
    let device = devices[number]
    guard case .failed(_, let again?) = device.machine.phase else { return complain(device, "is not tried again", at: now) }
    agenda.put(.attempt(number, generation: device.generation), at: again)
    let verdict = AlarmVerdict(SlotFacts(names: [device.name], outcome: .failed(failure), inUse: device.inUse), at: now)
    if verdict.alarms.isEmpty != failure.concernsAuthority { complain(device, "has no alarm of its own, or one of the CA's", at: now) }
  }

  private mutating func issued(_ number: Int, _ validity: Validity, _ now: Instant) {
    let device = devices[number]
    if let schedule = device.schedule, now < schedule.dueAt(by: rule) { complain(device, "got a certificate before one was due", at: now) }
    _ = devices[number].machine.handle(.issued, at: now)
    let installAt =
      device.schedule.map { schedule in
        schedule.isPressing
          ? now : schedule.validity.successorInstallAt(dueAt: schedule.dueAt(by: rule), installDays: 10, now: now)
      } ?? now
    devices[number].isOrdering = false
    devices[number].generation += 1
    devices[number].stage = .waiting
    devices[number].delivered = (validity, installAt)
    let schedule = RenewalSchedule(validity, issuedAt: now)
    devices[number].schedule = schedule
    let generation = devices[number].generation
    agenda.put(.poll(number, generation: generation), at: now)
    agenda.put(.due(number, generation: generation), at: schedule.dueAt(by: rule))
    agenda.put(.install(number, generation: generation), at: max(now, installAt))
    agenda.put(.end(number, validity), at: validity.notAfter)
  }
}

// MARK: - The devices' side

extension Simulation {
  private mutating func come(_ number: Int, _ now: Instant) {
    if devices[number].manner == .weekly { agenda.put(.come(number), at: now + .days(7)) }
    if devices[number].schedule == nil { order(number, now) }
    if case .wanted = devices[number].stage { ask(number, now) }
    // It takes with it what waits, and installs it in time.
    if let delivered = devices[number].delivered {
      agenda.put(.install(number, generation: devices[number].generation), at: max(now, delivered.installAt))
    }
  }

  private mutating func install(_ number: Int, _ now: Instant) {
    guard let delivered = devices[number].delivered else { return }
    devices[number].inUse = delivered.validity
    devices[number].delivered = nil
  }
}

import Chance
import PKI
import SchedulerAPI

/// What is left out on purpose, to see that the simulation notices.
enum BrokenRule: String, CaseIterable {
  case none
  /// Nothing waits for the CA's limits.
  case ledger
  /// A device that does not answer is waited for.
  case patience
  /// The CA is asked once, and not again.
  case polling
  /// Nobody is told of a failure.
  case alarms
  /// A failure is not written down.
  case events
  /// Whoever comes first is served first, whoever needs it first.
  case urgency
  /// A name that is not answered for yet costs an attempt, and its pause.
  case names
  /// Who asks for a name that is another device's has it.
  case approval
  /// Nobody is told that orders wait and wait.
  case lateness
  /// However many certificates the CA wants replaced, each is told of by itself.
  case campaigns
  /// After the disk was lost, what stands in the backup is taken for all that was spent.
  case caution
}

/// The scheduler's decisions, with model devices and a model CA, through the years: deterministic, and checked as it runs.
///
/// The world has one time, and the connector's clock may show another. What the connector waits for, it waits for by its clock.
struct Simulation {
  /// What happens whatever the connector does.
  enum Happening {
    case come(Int)
    case grow(Int)
    case approve(Int)
    case install(Int)
    case end(Int, Validity)
    case clock(Duration)
    case backup
    case restore
    case recall
    case revocation
    case audit
  }

  /// What the connector has to do; for a state of a slot that is over, nothing.
  enum Work {
    case poll, due, patienceOver, attempt, outcome, look
  }

  struct Errand {
    let work: Work
    /// The device; of looks at the queue their own number.
    let number: Int
    var generation = 0
  }

  let start = Instant(milliseconds: 1_795_478_400_000)
  let incidents: Incidents
  let broken: BrokenRule
  var devices: [ModelDevice]
  var authority: ModelAuthority
  var world = Agenda<Happening>()
  var now: Instant
  var generator: SeededGenerator
  /// What the connector has on its disk.
  var state: ConnectorState
  var backup: ConnectorState?
  /// What it waits for, by its clock.
  var errands = Agenda<Errand>()
  /// The next look at the queue, and when it is; of looks that were planned before nothing comes.
  var look: (number: Int, at: Instant?) = (0, nil)
  /// How far its clock is ahead.
  var offset = Duration.zero
  var violations: [String] = []
  var polls = 0
  var failures = 0
  /// What really happened, to be compared with what the connector has written down.
  var truth = Truth()

  /// The rules as they are set.
  let limits = AuthorityLimits()
  let rule = RenewalRule()
  let patience = Duration.seconds(600)
  let installDays = 10
  /// Each group of devices has a registered domain.
  let suffixes = PublicSuffixList(text: "com\nexample.com")

  init(devices count: Int, seed: UInt64, broken: BrokenRule) {
    self.broken = broken
    incidents = Incidents(start: start)
    generator = SeededGenerator(seed: seed)
    authority = ModelAuthority(start: start, incidents: incidents)
    devices = (0..<count).compactMap(ModelDevice.init)
    for number in devices.indices where devices[number].manner == .replaced { devices[number].leavesAt = incidents.replacement }
    state = ConnectorState(slots: Array(repeating: Slot(), count: count))
    now = start
  }

  /// What the connector's clock shows.
  var clock: Instant { now + offset }
  var isStopped: Bool { incidents.stop.contains(now) }

  /// Runs so many days; stops at the hundredth violation.
  mutating func run(days: Int) {
    for device in devices {
      let first =
        switch device.manner {
        case .newcomer: incidents.restore - .days(3)
        case .unready: incidents.arrival
        case .successor: incidents.replacement
        default: start
        }
      world.put(.come(device.number), at: first + .days(3) * generator.fraction())
      if device.manner == .newcomer { world.put(.grow(device.number), at: incidents.growth + .days(3) * generator.fraction()) }
    }
    for wrong in incidents.clocks {
      world.put(.clock(wrong.offset), at: wrong.during.lowerBound)
      world.put(.clock(.zero), at: wrong.during.upperBound)
    }
    world.put(.backup, at: incidents.backup)
    world.put(.restore, at: incidents.restore)
    world.put(.recall, at: incidents.recall)
    world.put(.revocation, at: incidents.revocation)
    world.put(.audit, at: start + .days(1))
    let end = start + .days(days)
    while violations.count < 100 {
      let nextErrand = errands.next.map { max(now, $0 - offset) }
      let nextHappening = world.next
      guard let next = [nextErrand, nextHappening].compactMap(\.self).min(), next < end else { break }
      now = next
      if next == nextHappening {
        if let happening = world.take() { happen(happening) }
      } else if let errand = errands.take() {
        // What came due while it did not run is done afterwards.
        if isStopped { errands.put(errand, at: incidents.stop.upperBound) } else { run(errand) }
      }
    }
    now = max(now, end)
    checkTheEnd()
  }

  private mutating func happen(_ happening: Happening) {
    switch happening {
    case .come(let number): come(number)
    case .grow(let number): grow(number)
    case .approve(let number): approve(number)
    case .install(let number): install(number)
    case .end(let number, let validity): checkEnd(of: validity, number)
    case .clock(let offset): self.offset = offset
    case .backup: backup = state
    case .restore: restore()
    case .recall: noteRecall()
    case .revocation: checkRevocation()
    case .audit:
      audit()
      world.put(.audit, at: now + .days(1))
    }
  }
}

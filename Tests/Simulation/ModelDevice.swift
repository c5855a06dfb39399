import PKI
import SchedulerAPI

/// A device, as it is. What the connector knows of it is a ``Slot``.
struct ModelDevice {
  enum Manner: CaseIterable {
    /// It is always there and hands in a CSR when it is asked.
    case diligent
    /// It is always there and understands no wish.
    case deaf
    /// It comes once a week.
    case weekly
    /// Its name cannot be reached for the second half of each quarter.
    case unreachable
    /// As diligent, but it comes for the first time in the days before the connector's disk is lost, and is given a second name later.
    case newcomer
    /// It comes when its name is not answered for yet.
    case unready
    /// It goes for ever when the one comes that replaces it.
    case replaced
    /// It has the name of the one that it replaces.
    case successor
  }

  /// A certificate, and when it is to be used from.
  struct Delivery {
    let validity: Validity
    let installAt: Instant
  }

  let number: Int
  let manner: Manner
  /// The names that it wants a certificate for.
  private(set) var names: [DNSName]
  let domain: DNSName
  /// When it came first.
  var cameAt: Instant?
  /// When one that does not stay goes.
  var leavesAt = Instant.earliest
  /// When the CA has issued its newest certificate.
  var issuedAt: Instant?
  /// The certificate in use.
  var inUse: Validity?
  /// The one that it has beside that, and since when.
  var fetched: Delivery?
  var fetchedAt: Instant?

  /// A hundred devices share a domain: more than the CA serves in a week. So do as many newcomers: when the disk is lost, all that the CA grants is spent.
  init?(number: Int) {
    manner =
      switch number % 20 {
      case 0: .unreachable
      case 1, 2: .weekly
      case 3, 4, 5: .deaf
      case 6...10: .newcomer
      case 11: .unready
      case 12: .replaced
      case 13: .successor
      default: .diligent
      }
    let group = manner == .newcomer ? "n\(number / 400)" : "d\(number / 100)"
    let place = manner == .successor ? number - 1 : number
    guard let name = DNSName("h\(place).\(group).example.com"), let domain = name.parent else { return nil }
    self.number = number
    names = [name]
    self.domain = domain
  }

  var allNames: String { names.map(\.value).joined(separator: " ") }

  /// It is given a second name.
  mutating func grow() {
    if let name = names.first.flatMap({ DNSName("www.\($0)") }) { names.append(name) }
  }

  func isReachable(at now: Instant, since start: Instant) -> Bool {
    manner != .unreachable || (now - start).components.seconds / 86_400 % 90 < 45
  }

  /// Whether it is always there.
  var stays: Bool { manner != .weekly }

  /// Whether there are certificates for it as long as it wants any.
  var isServedAlways: Bool { ![.unreachable, .replaced].contains(manner) }

  /// One that comes now and then stays for an hour.
  func isHere(at now: Instant) -> Bool { manner == .replaced ? now < leavesAt : stays || now < leavesAt }

  /// Its last visit.
  func visit(at now: Instant) -> ClosedRange<Instant> {
    if manner == .replaced { return Instant.earliest...min(now, leavesAt) }
    return stays ? Instant.earliest...now : leavesAt - Self.stay...max(leavesAt - Self.stay, min(now, leavesAt))
  }

  /// How long one that comes now and then stays.
  static let stay = Duration.seconds(3_600)

  /// Takes the certificate that it has into use, if it is time.
  mutating func install(at now: Instant) {
    guard let due = fetched, due.installAt <= now else { return }
    inUse = due.validity
    fetched = nil
  }
}

/// What the connector knows of a device and its one certificate: what would stand in its database.
struct Slot {
  /// That of the newest certificate; absent before the first.
  var schedule: RenewalSchedule?
  var stage = RenewalStage.waiting
  /// A CSR is at work.
  var isOrdering = false
  var machine = RequestMachine(phase: .installed, failures: 0)
  /// The place of that CSR in the queue.
  var urgency = Urgency(neededBy: .earliest, number: 0)
  /// The limit that it waits for.
  var waiting: (limit: LedgerAccount, until: Instant)?
  /// What the order under way was charged to.
  var charges: [LedgerAccount] = []
  /// The names of the newest certificate.
  var names: [DNSName] = []
  /// The certificate that the device has confirmed.
  var inUse: Validity?
  /// The one that it has not.
  var ready: ModelDevice.Delivery?
  /// The alarms that stand.
  var alarms: Set<AlarmCode> = []
  /// Entries of the agenda about an earlier state than this say nothing.
  var generation = 0
}

import PKI

/// An order that is to come.
protocol ExpectedOrder {
  /// When it is wanted, and how urgent it is then.
  var place: QueuePlace { get }
  var exemption: LedgerExemption { get }
}

/// Says when the turns of orders come, by the CA's limits as they are spent now. It goes through time as the queue will: what has to wait for one limit spends
/// nothing of the others meanwhile, and of those that wait for the same the most urgent comes first. It changes nothing, and of the limits knows no more than
/// what is spent at the moment that it has come to: a fleet may be of any size.
struct TurnForecast {
  /// When a turn comes.
  struct Turn: Hashable {
    let at: Instant
    /// The limit that it waits for.
    var limit: LedgerAccount?
    /// It waits until the CA can be used.
    var isHeld = false
  }

  private var ledger: Ledger
  private let limits: AuthorityLimits?
  private let heldUntil: Instant?
  private let suffixes: PublicSuffixList
  private let now: Instant
  /// With how many limits what has grown back is forgotten.
  private var mostAccounts = Self.fewestAccounts
  private static let fewestAccounts = 1_000

  /// Those that wait for a limit, the most urgent first.
  private var lines: [LedgerAccount: PriorityQueue<Candidate>] = [:]
  /// When the first of each line is called.
  private var calls = PriorityQueue<Call>()
  private var turns: [(number: Int, turn: Turn)] = []

  /// How many limits it knows something of.
  var accountCount: Int { ledger.buckets.count }

  /// - Parameters:
  ///   - ledger: what is spent of any limit by now.
  ///   - limits: nil where there are none to be kept to.
  ///   - heldUntil: when the CA is tried again that cannot be used now.
  init(ledger: Ledger, limits: AuthorityLimits?, heldUntil: Instant? = nil, suffixes: PublicSuffixList, at now: Instant) {
    self.ledger = ledger
    self.limits = limits
    self.heldUntil = heldUntil
    self.suffixes = suffixes
    self.now = now
  }

  /// The turns of these orders, and of no others, in the order in which they come.
  /// - Parameter names: asked for once, and only where the CA counts by them.
  mutating func turns<Order: ExpectedOrder>(
    of orders: [Order], names: (Order) throws -> [DNSName]
  ) rethrows -> [(order: Order, turn: Turn)] {
    let start = max(now, heldUntil ?? now)
    let places = orders.map { QueuePlace(wantedAt: max(start, $0.place.wantedAt), urgency: $0.place.urgency) }
    for number in places.indices.sorted(by: { places[$0] < places[$1] }) {
      let (order, moment) = (orders[number], places[number].wantedAt)
      callLines(before: moment)
      guard let limits, order.exemption != .renewalInWindow else {
        turns.append((number, Turn(at: moment, isHeld: moment > max(now, order.place.wantedAt))))
        continue
      }
      let charges = Ledger.charges(try names(order), order.exemption, suffixes: suffixes)
      ledger.open(charges, by: limits)
      let isHeld = moment > max(now, order.place.wantedAt)
      attempt(Candidate(number: number, urgency: order.place.urgency, charges: charges, isHeld: isHeld), at: moment)
      forgetWhatHasGrownBack(by: moment)
    }
    callLines(before: nil)
    return turns.sorted { $0.turn.at < $1.turn.at }.map { (orders[$0.number], $0.turn) }
  }

  /// Gives those that wait their turns that come before that moment; all, if it is nil.
  private mutating func callLines(before moment: Instant?) {
    while let call = calls.first, moment.map({ call.at < $0 }) ?? true {
      _ = calls.popFirst()
      let room = roomAt(call.account, at: call.at)
      if room <= call.at, let next = lines[call.account]?.popFirst() { attempt(next, at: call.at) }
      if lines[call.account]?.isEmpty == false {
        calls.insert(Call(at: roomAt(call.account, at: call.at), account: call.account))
      } else {
        lines[call.account] = nil
      }
    }
  }

  /// It has its turn, or waits for a limit, behind all that are more urgent.
  private mutating func attempt(_ candidate: Candidate, at moment: Instant) {
    if let limits { ledger.open(candidate.charges, by: limits) }
    let wait = ledger.wait(for: candidate.charges, names: [], isEmergency: false, at: moment)
    let obstacle = wait?.account ?? candidate.charges.first { account in lines[account]?.first.map { $0 < candidate } ?? false }
    guard let obstacle, candidate.waits < Self.mostWaits else {
      ledger.spend(candidate.charges, at: moment)
      turns.append((candidate.number, Turn(at: wait?.until ?? moment, limit: candidate.limit, isHeld: candidate.isHeld)))
      return
    }
    var candidate = candidate
    (candidate.limit, candidate.isHeld) = (obstacle, false)
    candidate.waits += 1
    if lines[obstacle] == nil { calls.insert(Call(at: roomAt(obstacle, at: moment), account: obstacle)) }
    lines[obstacle, default: PriorityQueue()].insert(candidate)
  }

  /// From one limit to the other many could go to and fro with each that grows back: so often one may, and then it takes what there is as it comes.
  private static let mostWaits = 8

  private func roomAt(_ account: LedgerAccount, at moment: Instant) -> Instant { max(moment, ledger.roomAt(account, at: moment)) }

  private mutating func forgetWhatHasGrownBack(by moment: Instant) {
    guard ledger.buckets.count > mostAccounts else { return }
    ledger.forget(fullAt: moment)
    mostAccounts = max(Self.fewestAccounts, ledger.buckets.count * 2)
  }
}

extension TurnForecast {
  /// An order whose turn has not come.
  private struct Candidate: Comparable {
    let number: Int
    let urgency: Urgency
    let charges: [LedgerAccount]
    /// The limit that it waits for.
    var limit: LedgerAccount?
    var isHeld: Bool
    /// How many times it had to wait.
    var waits = 0

    static func < (left: Candidate, right: Candidate) -> Bool { (left.urgency, left.number) < (right.urgency, right.number) }
  }

  /// When a limit has room for the first that waits for it.
  private struct Call: Comparable {
    let at: Instant
    let account: LedgerAccount

    static func < (left: Call, right: Call) -> Bool { left.at < right.at }
  }
}

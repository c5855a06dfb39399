import PKI

/// An order that is to come.
protocol ExpectedOrder {
  /// When it is wanted, and how urgent it is then.
  var place: QueuePlace { get }
  var exemption: LedgerExemption { get }
  /// From when on it may spend what is kept for emergencies.
  var emergencyFrom: Instant { get }
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
  private var lines: [Line: PriorityQueue<Candidate>] = [:]
  /// When the first of each line is called, and when one that waits becomes an emergency.
  private var calls = PriorityQueue<Call>()
  /// Those that waited and have had their turn: they may still stand in the line that they were in before they became emergencies.
  private var gone: Set<Int> = []
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
      attempt(
        Candidate(number: number, urgency: order.place.urgency, emergencyFrom: order.emergencyFrom, charges: charges, isHeld: isHeld), at: moment)
      forgetWhatHasGrownBack(by: moment)
    }
    callLines(before: nil)
    return turns.sorted { $0.turn.at < $1.turn.at }.map { (orders[$0.number], $0.turn) }
  }

  /// Gives those that wait their turns that come before that moment; all, if it is nil.
  private mutating func callLines(before moment: Instant?) {
    while let call = calls.first, moment.map({ call.at < $0 }) ?? true {
      _ = calls.popFirst()
      switch call.caller {
      case .emergency(let candidate): attempt(candidate, at: call.at)
      case .line(let line):
        if roomFor(line, at: call.at) <= call.at, let next = lines[line]?.popFirst() { attempt(next, at: call.at) }
        if lines[line]?.isEmpty == false {
          calls.insert(Call(at: roomFor(line, at: call.at), caller: .line(line)))
        } else {
          lines[line] = nil
        }
      }
    }
  }

  /// It has its turn, or waits for a limit, behind all that are more urgent; emergencies behind such only.
  private mutating func attempt(_ candidate: Candidate, at moment: Instant) {
    guard !gone.contains(candidate.number) else { return }
    if let limits { ledger.open(candidate.charges, by: limits) }
    let isEmergency = candidate.emergencyFrom <= moment
    func line(_ account: LedgerAccount) -> Line { Line(account: account, isForEmergencies: isEmergency) }
    let wait = ledger.wait(for: candidate.charges, names: [], isEmergency: isEmergency, at: moment)
    let obstacle = wait?.account ?? candidate.charges.first { account in lines[line(account)]?.first.map { $0 < candidate } ?? false }
    guard let obstacle, candidate.waits < Self.mostWaits else {
      ledger.spend(candidate.charges, at: moment)
      turns.append((candidate.number, Turn(at: wait?.until ?? moment, limit: candidate.limit, isHeld: candidate.isHeld)))
      if candidate.waits > 0 { gone.insert(candidate.number) }
      return
    }
    var candidate = candidate
    (candidate.limit, candidate.isHeld) = (obstacle, false)
    candidate.waits += 1
    if candidate.waits == 1, !isEmergency, candidate.emergencyFrom < .latest {
      calls.insert(Call(at: candidate.emergencyFrom, caller: .emergency(candidate)))
    }
    let its = line(obstacle)
    if lines[its] == nil { calls.insert(Call(at: roomFor(its, at: moment), caller: .line(its))) }
    lines[its, default: PriorityQueue()].insert(candidate)
  }

  /// From one limit to the other many could go to and fro with each that grows back: so often one may, and then it takes what there is as it comes.
  private static let mostWaits = 8

  /// When there is room for the first of a line.
  private func roomFor(_ line: Line, at moment: Instant) -> Instant {
    max(moment, ledger.roomAt(line.account, isEmergency: line.isForEmergencies, at: moment))
  }

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
    let emergencyFrom: Instant
    let charges: [LedgerAccount]
    /// The limit that it waits for.
    var limit: LedgerAccount?
    var isHeld: Bool
    /// How many times it had to wait.
    var waits = 0

    static func < (left: Candidate, right: Candidate) -> Bool { (left.urgency, left.number) < (right.urgency, right.number) }
  }

  /// Who waits for a limit: emergencies among themselves, for what is kept is for them.
  private struct Line: Hashable {
    let account: LedgerAccount
    let isForEmergencies: Bool
  }

  private enum Caller: Equatable {
    /// The limit has room for the first of the line.
    case line(Line)
    case emergency(Candidate)
  }

  private struct Call: Comparable {
    let at: Instant
    let caller: Caller

    static func < (left: Call, right: Call) -> Bool { left.at < right.at }
  }
}

import PKI
import SchedulerAPI

/// Which alarms a slot has, and when to look again though nothing has happened.
struct AlarmVerdict: Hashable {
  private(set) var alarms: [Alarm] = []
  /// An alarm that a certificate cannot be had goes on: it lasts from the first failure until there is one.
  private(set) var keepsFailure = false
  let severity: AlarmSeverity
  /// The next moment at which the verdict may be another one.
  var reviewAt: Instant? { moments.filter { $0 > now }.min() }

  private let facts: SlotFacts
  private let now: Instant
  /// When a part of the verdict may change.
  private var moments: [Instant] = []

  init(_ facts: SlotFacts, at now: Instant) {
    self.facts = facts
    self.now = now
    let steps = facts.inUse.map { [$0.notAfter - $0.lifetime / 5, $0.notAfter - $0.lifetime / 10] } ?? []
    // Where there is no certificate that anybody trusts, something is missing already.
    severity = steps.isEmpty || now >= steps[1] ? .major : now >= steps[0] ? .indeterminate : .minor
    moments = steps
    judgeOutcome()
    if let stall = facts.outcome.stall, let inUse = facts.inUse { judge(stall, before: inUse) }
    if let since = facts.wantedSince { judgeAbsence(since: since) }
    if let undelivered = facts.undelivered { judge(undelivered) }
  }

  private mutating func judgeOutcome() {
    switch facts.outcome {
    case .failed(let failure) where !failure.concernsAuthority:
      raise(AlarmCode(failure), "No certificate for \(facts.names.summary): \(failure.explanation)", name: failure.name)
    case .waiting(let limit, let moment) where facts.inUse == nil || severity > .minor:
      let text = "The certificate for \(facts.names.summary) waits for \(limit); its turn comes \(moment)."
      // Who waits for a first certificate is one of many, and nothing that worked stops working.
      alarms.append(Alarm(code: .rateLimited, severity: facts.inUse == nil ? .minor : severity, text: text))
    case .failed, .underWay, .ordering, .awaitingApproval, .waiting:
      keepsFailure = true
    case .served:
      break
    }
  }

  /// An order or an approval may take a while, and nothing is amiss while there is time.
  private mutating func judge(_ stall: SlotFacts.Stall, before inUse: Validity) {
    let late = max(stall.since + min(Self.longestOrder, inUse.lifetime / 20), inUse.notAfter - inUse.lifetime / 5)
    guard isPast(late) else { return }
    raise(.certificateFailed, "The certificate for \(facts.names.summary) ends \(inUse.notAfter), and the next one \(stall.text)", name: stall.name)
    keepsFailure = false
  }

  private mutating func judgeAbsence(since: Instant) {
    let grace = facts.inUse.map { min(Self.longestGrace, ($0.notAfter - since) / 4) } ?? Self.graceWithoutCertificate
    guard isPast(since + grace) else { return }
    let end = facts.inUse.map { "ends \($0.notAfter)" } ?? "is not to be used any more"
    raise(
      .deviceAbsent, "The certificate for \(facts.names.summary) is due since \(since) and \(end), and its device has handed in no CSR.")
  }

  private mutating func judge(_ undelivered: SlotFacts.Undelivered) {
    // Its visit may go on: it is looked at again when it was long enough.
    if !undelivered.couldConfirm, let since = undelivered.couldConfirmSince { moments.append(since + Self.visitReview) }
    let installAt = undelivered.installAt
    func left(after moment: Instant) -> Duration { facts.inUse.map { $0.notAfter - moment } ?? .zero }
    guard let hadAt = undelivered.hadAt else {
      if isPast(installAt + min(Self.longestGrace, left(after: installAt) / 4)) {
        miss(.deviceAbsent, "waits for its device, which has not come to fetch it", since: installAt)
      }
      return
    }
    let isConfirmationLate = isPast(hadAt + min(.days(1), (facts.inUse?.lifetime ?? .zero) / 20))
    if undelivered.couldConfirm {
      if isConfirmationLate { miss(.notInstalled, "was handed to its device, which was there since and has not installed it", since: installAt) }
    } else if isPast(hadAt + min(Self.longestVisitPause, left(after: hadAt) * 3 / 4)) {
      // It installs it by itself, and says so when it comes again.
      miss(.deviceAbsent, "was handed to its device, which has not come since to confirm that it is installed", since: installAt)
    }
  }

  private mutating func miss(_ code: AlarmCode, _ what: String, since installAt: Instant) {
    raise(code, "The new certificate for \(facts.names.summary) \(what); it should be in use since \(installAt).")
  }

  private mutating func raise(_ code: AlarmCode, _ text: String, name: DNSName? = nil) {
    alarms.append(Alarm(code: code, severity: severity, text: text, name: name))
  }

  /// Whether a moment has come; if not, the verdict is reviewed then.
  private mutating func isPast(_ moment: Instant) -> Bool {
    moments.append(moment)
    return now >= moment
  }

  /// How long an order may be under way, and a name wait for its approval, before that is an alarm, at most.
  private static let longestOrder = Duration.seconds(3_600)
  /// How long after a certificate is due its device may stay away without an alarm, at most: absence alone is none.
  private static let longestGrace = Duration.days(3)
  /// The same where it has no certificate that anybody trusts: as long as it takes to come back and answer.
  private static let graceWithoutCertificate = Duration.seconds(3_600)
  /// How long a device that has its certificate may stay away before it confirms it, at most: one that comes once a week has come by then.
  private static let longestVisitPause = Duration.days(8)
  /// How long after a device could first have confirmed a certificate it is looked whether it was there for long: by then the gateway has told of it again.
  private static let visitReview = Duration.seconds(1_800)
}

import PKI

/// The rule by which certificates become due, as it is set.
struct RenewalRule: Hashable {
  /// How many days before its end a certificate is renewed at the earliest, where the CA suggests nothing.
  var renewDays = 30
  /// The least time between two issues for the same names.
  var floor = Duration.seconds(600)
  /// The CA that issues from now on.
  var authority: DirectoryURL?
}

/// When one certificate is due, and when the CA is asked next what it suggests (RFC 9773). It belongs to this certificate alone: what the CA said of an
/// earlier one can never start an order for it.
struct RenewalSchedule: Hashable {
  /// What came of asking the CA.
  enum Answer: Hashable {
    /// A window, and after how long to ask again. `explanation` is a page for people.
    case window(start: Instant, end: Instant, explanation: String?, retryAfter: Duration?)
    /// The CA has no renewal information.
    case unsupported
    /// It will pass: no answer in time, or a server error.
    case temporaryError(retryAfter: Duration?)
    /// It may last: all other errors, and answers that make no sense.
    case lastingError
  }

  /// What an administrator should know of an answer.
  enum Remark: Hashable {
    /// The CA explains its window there.
    case explained(String)
    /// The CA wants the certificate replaced ahead of its time: it is about to be revoked, or is.
    case pressing
  }

  let validity: Validity
  /// When it came here. Its notBefore is earlier: CAs date certificates back.
  let issuedAt: Instant
  private(set) var window: RenewalWindow?
  private(set) var explanation: String?
  /// The CA wants it replaced ahead of its time.
  private(set) var isPressing = false
  /// When the CA is asked next; nil for never.
  private(set) var pollAt: Instant?
  /// How many answers in a row have been errors that pass.
  private(set) var pollFailures = 0

  /// Of a certificate that has just been issued: the CA is asked at once.
  init(_ validity: Validity, issuedAt: Instant) {
    self.validity = validity
    self.issuedAt = issuedAt
    pollAt = issuedAt
  }

  /// As it was kept.
  init(
    validity: Validity, issuedAt: Instant, window: RenewalWindow?, explanation: String?, isPressing: Bool, pollAt: Instant?, pollFailures: Int
  ) {
    self.validity = validity
    self.issuedAt = issuedAt
    self.window = window
    self.explanation = explanation
    self.isPressing = isPressing
    self.pollAt = pollAt
    self.pollFailures = pollFailures
  }

  /// When its successor is due: at the moment drawn from the CA's window, else by the rule; never later than a twentieth of the lifetime before the
  /// end, whatever the CA says, and never so soon after its own issue that mistaken windows could make one certificate after the other.
  func dueAt(by rule: RenewalRule) -> Instant {
    let wanted = window?.chosen ?? validity.notAfter - validity.renewalLead(renewDays: rule.renewDays)
    let latest = validity.notAfter - validity.lifetime / 20
    return max(floorEnd(by: rule), min(wanted, latest))
  }

  /// Until when no other certificate for the same names is made, unless somebody who may wants one.
  func floorEnd(by rule: RenewalRule) -> Instant { issuedAt + min(rule.floor, validity.lifetime / 10) }

  /// Takes note of what the CA said.
  /// - Parameter chance: random numbers from 0 to 1.
  mutating func take(_ answer: Answer, at now: Instant, chance: () -> Double) -> [Remark] {
    var remarks: [Remark] = []
    switch answer {
    case .window(let start, let end, let newExplanation, let retryAfter):
      guard let drawn = RenewalWindow(from: start, to: end, fraction: chance()) else { return take(.lastingError, at: now, chance: chance) }
      if window?.isSame(from: start, to: end) != true {
        window = drawn
        let isEarly = end < validity.notAfter - validity.lifetime * 3 / 5
        // So early a window is no plan, also where it is still ahead; a later one may have passed while the connector was down.
        if !isPressing, isEarly || (end <= now && newExplanation != nil) {
          isPressing = true
          remarks.append(.pressing)
        }
      }
      if let newExplanation, newExplanation != explanation { remarks.append(.explained(newExplanation)) }
      explanation = newExplanation
      pollFailures = 0
      askAgain(after: retryAfter.map { min(max($0, PollPace.shortest), PollPace.longest) } ?? PollPace.afterError, now)
    case .unsupported:
      window = nil
      pollFailures = 0
      askAgain(after: PollPace.longest, now)
    case .temporaryError(let retryAfter):
      pollFailures += 1
      let step = pollFailures <= PollPace.growing ? PollPace.shortest * (1 << (pollFailures - 1)) : PollPace.afterError
      let pause = max(step, retryAfter.map { min($0, PollPace.longest) } ?? .zero)
      askAgain(after: pause + pause / 4 * chance(), now)
    case .lastingError:
      pollFailures = 0
      askAgain(after: PollPace.afterError, now)
    }
    return remarks
  }

  /// How many certificates the CA is asked about at a time: so many answers come in a second that a large fleet is through within minutes, and far fewer
  /// than a CA allows (Let's Encrypt: 1,000 in a second, https://letsencrypt.org/docs/rate-limits/).
  static let inquiriesAtOnce = 8

  /// An expired certificate must not be asked about (RFC 9773, section 4.3).
  private mutating func askAgain(after pause: Duration, _ now: Instant) {
    let next = now + pause
    pollAt = next < validity.notAfter ? next : nil
  }

  /// The pace of asking (RFC 9773, section 4.3).
  private enum PollPace {
    static let shortest = Duration.seconds(60)
    static let longest = Duration.days(1)
    /// After errors that may last, and where the CA names no pace.
    static let afterError = Duration.seconds(6 * 3_600)
    /// How often the pause after a passing error doubles before the error counts as lasting.
    static let growing = 7
  }
}

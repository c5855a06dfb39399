import ACMEClientAPI
import PKI
import SchedulerAPI

/// Something that is wrong and stays so until it is mended.
struct Alarm: Hashable {
  let code: AlarmCode
  var severity: AlarmSeverity
  var text: String
  var name: DNSName?
}

extension AlarmCode {
  /// The alarm of a device whose certificate cannot be had for this reason.
  init(_ failure: AttemptFailure) {
    self =
      switch failure.error {
      case .nameUnreachable, .nameNotReady, .challengeFailed, .caaForbids: .nameUnreachable
      case .rateLimited, .namePaused: .rateLimited
      case .caUnavailable: .authorityUnavailable
      case .accountProblem, .notConfigured: .accountProblem
      default: .certificateFailed
      }
  }

  /// Whether it follows from what is known of one of a device's certificates; what others see of it, or of the device, is told apart.
  var isOfSlot: Bool { ![.clockWrong, .loginRefused, .notServed].contains(self) }

  /// Whether it says that a certificate cannot be had; of these one stands for a slot, the latest.
  var isFailure: Bool { [.nameUnreachable, .rateLimited, .certificateFailed].contains(self) }
}

/// What is known of one slot of a device when its alarms are decided.
struct SlotFacts: Hashable {
  /// What the newest request came to.
  enum Outcome: Hashable {
    /// It waits for its turn.
    case underWay
    /// Its order is under way since then.
    case ordering(since: Instant)
    /// It waits since then for an administrator to approve that name.
    case awaitingApproval(DNSName, since: Instant)
    /// It waits for that limit of the CA until then.
    case waiting(for: String, until: Instant)
    case failed(AttemptFailure)
    case served
  }

  /// A certificate that waits for its device's receipt.
  struct Undelivered: Hashable {
    let installAt: Instant
    /// When its device was handed it.
    var deliveredAt: Instant?
    /// From when until when the device was there last.
    var visit: ClosedRange<Instant>?

    /// Since when the device has it and is to use it.
    fileprivate var hadAt: Instant? { deliveredAt.map { max($0, installAt) } }

    /// Since when, in its last visit, it could have confirmed that it uses it.
    fileprivate var couldConfirmSince: Instant? {
      guard let hadAt, let visit, visit.upperBound >= hadAt else { return nil }
      return max(hadAt, visit.lowerBound)
    }

    /// It was there long enough to confirm it.
    fileprivate var couldConfirm: Bool {
      guard let visit, let since = couldConfirmSince else { return false }
      return visit.upperBound - since >= .seconds(600)
    }
  }

  let names: [DNSName]
  let outcome: Outcome
  /// The certificate in use, or the one to be used if there is none; nil where there is none that anybody trusts.
  var inUse: Validity?
  /// The certificate's successor is due since then, and its device, which is not there, has handed in no CSR.
  var wantedSince: Instant?
  var undelivered: Undelivered?
}

/// Which alarms stand for a slot, and when to look again though nothing has happened.
struct AlarmVerdict: Hashable {
  private(set) var alarms: [Alarm] = []
  /// An alarm that a certificate cannot be had goes on: it stands from the first failure until there is one.
  private(set) var keepsFailure = false
  private(set) var severity: AlarmSeverity
  /// The next moment at which the verdict may be another one.
  private(set) var reviewAt: Instant?

  init(_ facts: SlotFacts, at now: Instant) {
    severity = .major
    var moments: [Instant] = []
    if let inUse = facts.inUse {
      let steps = [inUse.notAfter - inUse.lifetime / 5, inUse.notAfter - inUse.lifetime / 10]
      severity = now < steps[0] ? .minor : now < steps[1] ? .indeterminate : .major
      moments += steps
    }
    switch facts.outcome {
    case .failed(let failure) where !failure.concernsAuthority:
      alarms.append(
        Alarm(
          code: AlarmCode(failure), severity: severity, text: "No certificate for \(facts.names.summary): \(failure.explanation)", name: failure.name)
      )
    case .waiting(let limit, let moment) where facts.inUse == nil || severity > .minor:
      let text = "The certificate for \(facts.names.summary) waits for \(limit); its turn comes \(moment)."
      // Who waits for a first certificate is one of many, and nothing that worked stops working.
      alarms.append(Alarm(code: .rateLimited, severity: facts.inUse == nil ? .minor : severity, text: text))
    case .failed, .underWay, .ordering, .awaitingApproval, .waiting:
      keepsFailure = true
    case .served:
      break
    }
    if let inUse = facts.inUse, let stall = facts.outcome.stall {
      // Both may take a while, and nothing is amiss while there is time.
      let late = max(stall.since + min(Self.longestOrder, inUse.lifetime / 20), inUse.notAfter - inUse.lifetime / 5)
      moments.append(late)
      if now >= late {
        let text = "The certificate for \(facts.names.summary) ends \(inUse.notAfter), and the next one \(stall.text)"
        alarms.append(Alarm(code: .certificateFailed, severity: severity, text: text, name: stall.name))
        keepsFailure = false
      }
    }
    if let since = facts.wantedSince {
      let late = since + (facts.inUse.map { min(Self.longestGrace, ($0.notAfter - since) / 4) } ?? Self.graceWithoutCertificate)
      moments.append(late)
      if now >= late {
        let end = facts.inUse.map { "ends \($0.notAfter)" } ?? "is not to be used any more"
        alarms.append(
          Alarm(
            code: .deviceAbsent, severity: severity,
            text: "The certificate for \(facts.names.summary) is due since \(since) and \(end), and its device has handed in no CSR."))
      }
    }
    if let undelivered = facts.undelivered {
      // Its visit may go on: it is looked at again when it was long enough.
      if !undelivered.couldConfirm, let since = undelivered.couldConfirmSince { moments.append(since + Self.visitReview) }
      let confirmBy = undelivered.hadAt.map { $0 + min(.days(1), (facts.inUse?.lifetime ?? .zero) / 20) }
      let late: Instant
      let code: AlarmCode
      let text: String
      if let confirmBy, undelivered.couldConfirm {
        late = confirmBy
        (code, text) = (.notInstalled, "was handed to its device, which was there since and has not installed it")
      } else if let hadAt = undelivered.hadAt {
        // It installs it by itself, and says so when it comes again.
        late = hadAt + min(Self.longestVisitPause, ((facts.inUse?.notAfter ?? hadAt) - hadAt) * 3 / 4)
        (code, text) = (.deviceAbsent, "was handed to its device, which has not come since to confirm that it is installed")
      } else {
        late = undelivered.installAt + min(Self.longestGrace, ((facts.inUse?.notAfter ?? undelivered.installAt) - undelivered.installAt) / 4)
        (code, text) = (.deviceAbsent, "waits for its device, which has not come to fetch it")
      }
      moments += [late, confirmBy ?? late]
      if now >= late {
        alarms.append(
          Alarm(
            code: code, severity: severity,
            text: "The new certificate for \(facts.names.summary) \(text); it should be in use since \(undelivered.installAt)."))
      }
    }
    reviewAt = moments.filter { $0 > now }.min()
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

extension SlotFacts.Outcome {
  /// What may never come to an end by itself, since when, and what to do about it.
  fileprivate var stall: (since: Instant, text: String, name: DNSName?)? {
    switch self {
    case .ordering(let since):
      (since, "is being ordered since \(since) without an end: the journals of acme-client and challenge-http tell what it waits for.", nil)
    case .awaitingApproval(let name, let since):
      (since, "waits since \(since) for \(name), which belongs to another device: `acme-connector names approve \(name)` gives it to this one.", name)
    case .underWay, .waiting, .failed, .served: nil
    }
  }
}

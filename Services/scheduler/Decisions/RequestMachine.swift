import PKI

/// What happens to a request.
enum RequestEvent: Hashable {
  /// All its names are its device's.
  case namesGranted
  /// It is ordered at another moment than was thought.
  case postponed(until: Instant)
  /// The moment to order it has come.
  case cameDue
  /// One of its names has become another device's.
  case nameTaken(DNSName)
  /// Its order begins, or is taken up.
  case orderBegan
  /// The chain is here.
  case issued
  /// The order failed. `jitter` is a random number from 0 to 1.
  case failed(AttemptFailure, jitter: Double)
  /// The CSR may not be ordered any more.
  case refused(AttemptFailure)
  /// The pause is over.
  case triedAgain
  /// Somebody has ended the pause, and perhaps mended what was wrong.
  case renewed
  /// The device has installed the certificate.
  case installed
  /// A newer request of the slot takes its place.
  case superseded
}

/// What follows from that, beside the new phase.
enum RequestAction: Hashable {
  /// There is work for the queue.
  case order
  /// The order under way is of no use any more.
  case stopOrder
  /// The chain goes to the device.
  case deliver
  /// The older ones of the slot that nobody needs any more make room.
  case supersedeUndelivered
  /// All older ones of the slot make room.
  case supersedeOlder
  /// The claims on names of other devices are off.
  case dropClaims
}

/// The life of a request, as a rule without time or disk of its own.
struct RequestMachine: Hashable {
  private(set) var phase: RequestPhase
  /// How many attempts have failed since the last that did not.
  private(set) var failures = 0
  /// How many attempts in a row have failed without a fault of the request: they do not count against it.
  private(set) var outages = 0

  /// A request that has come in; `name` is held by another device, it is not needed before `dueAt`, or takes the place of one for the same names that
  /// has failed: then its pause goes on.
  init(awaiting name: DNSName?, dueAt: Instant? = nil, after failed: RequestMachine? = nil) {
    self = failed ?? RequestMachine(phase: .queued, failures: 0)
    if let name { phase = .awaitingApproval(name) } else if let dueAt { phase = .notDue(until: dueAt) }
  }

  /// A request as it was kept.
  init(phase: RequestPhase, failures: Int, outages: Int = 0) {
    self.phase = phase
    self.failures = failures
    self.outages = outages
  }

  /// Goes on with `event`. One that does not belong to the phase (a late answer, a repeated receipt) changes nothing.
  mutating func handle(_ event: RequestEvent, at now: Instant) -> [RequestAction] {
    switch (phase, event) {
    case (.awaitingApproval, .namesGranted), (.failed, .triedAgain), (.waitingForName, .triedAgain), (.notDue, .cameDue):
      phase = .queued
      return [.order]
    case (.notDue, .postponed(let moment)):
      phase = .notDue(until: moment)
      return []
    case (.queued, .postponed(let moment)):
      phase = .notDue(until: moment)
      // Its turn is another's.
      return [.order]
    case (.failed, .renewed), (.waitingForName, .renewed), (.notDue, .renewed):
      (failures, outages) = (0, 0)
      phase = .queued
      return [.order]
    case (.queued, .nameTaken(let name)):
      phase = .awaitingApproval(name)
      // Its turn is another's.
      return [.order]
    case (.failed, .nameTaken(let name)), (.waitingForName, .nameTaken(let name)), (.notDue, .nameTaken(let name)):
      phase = .awaitingApproval(name)
      return []
    case (.queued, .orderBegan):
      phase = .ordering
      return []
    case (.ordering, .issued):
      phase = .ready
      (failures, outages) = (0, 0)
      return [.deliver, .supersedeUndelivered]
    case (.ordering, .failed(let failure, _)) where failure.awaitsName:
      // No attempt: neither the pauses nor the outages grow.
      phase = .waitingForName(failure, again: now + RetryPause.forName)
      return [.order]
    case (.ordering, .failed(let failure, let jitter)):
      (failures, outages) = failure.isOutage ? (failures, outages + 1) : (failures + 1, 0)
      let count = failure.isOutage ? outages : failures
      phase = .failed(failure, again: RetryPause.end(after: failure, failures: count, jitter: jitter, now: now))
      return failure.isFinal ? [] : [.order]
    case (.awaitingApproval, .refused(let failure)):
      phase = .failed(failure, again: nil)
      return [.dropClaims]
    case (.ordering, .refused(let failure)):
      phase = .failed(failure, again: nil)
      return [.stopOrder]
    case (.notDue, .refused(let failure)), (.queued, .refused(let failure)), (.waitingForName, .refused(let failure)),
      (.failed, .refused(let failure)):
      phase = .failed(failure, again: nil)
      return []
    case (.ready, .installed):
      phase = .installed
      return [.supersedeOlder]
    case (.awaitingApproval, .superseded):
      phase = .superseded
      return [.dropClaims]
    case (.ordering, .superseded):
      phase = .superseded
      return [.stopOrder]
    case (.notDue, .superseded), (.queued, .superseded), (.waitingForName, .superseded), (.failed, .superseded), (.ready, .superseded),
      (.installed, .superseded):
      phase = .superseded
      return []
    default:
      return []
    }
  }
}

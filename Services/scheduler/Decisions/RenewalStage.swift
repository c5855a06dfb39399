import PKI

/// How far the renewal of a certificate is.
enum RenewalStage: Hashable {
  /// It is not due.
  case waiting
  /// It is due, and its device is to hand in a CSR; one that is connected has until then, others are asked when they come.
  case wanted(answerBy: Instant?)
  /// A CSR for it is at work.
  case ordered
}

/// What happens to a renewal.
enum RenewalEvent: Hashable {
  /// The moment has come. `open`: a CSR of the slot is kept or at work already.
  case due(open: Bool)
  /// The device is connected.
  case deviceCame
  /// The device has been told that a CSR is wanted.
  case told
  /// It will not hand one in.
  case declined
  /// It has not handed one in by the time it had.
  case patienceOver
  /// It has handed one in.
  case requested
  /// The CSR at work cannot succeed.
  case failedForGood
}

/// What follows from that, beside the new stage.
enum RenewalAction: Hashable {
  /// The device is asked for a CSR.
  case askDevice
  /// The CSR of the certificate itself is ordered once more: another one is not to be had.
  case orderAgain
}

/// How a due certificate gets its successor, as a rule without time or disk of its own.
struct RenewalMachine: Hashable {
  private(set) var stage: RenewalStage
  /// Whether the device ever connects; one whose CSRs an administrator hands in does not.
  let connects: Bool
  /// How long a device that was asked has to hand in a CSR.
  let patience: Duration
  /// Whether the CSR of the certificate may be ordered once more; one whose key has become known may not.
  let mayRepeat: Bool

  init(stage: RenewalStage, connects: Bool, patience: Duration, mayRepeat: Bool = true) {
    self.stage = stage
    self.connects = connects
    self.patience = patience
    self.mayRepeat = mayRepeat
  }

  /// Goes on with `event`. One that does not belong to the stage changes nothing.
  mutating func handle(_ event: RenewalEvent, at now: Instant) -> [RenewalAction] {
    switch (stage, event) {
    case (.waiting, .due(open: true)):
      stage = .ordered
      return []
    case (.waiting, .due(open: false)):
      let isAsked = connects || !mayRepeat
      stage = isAsked ? .wanted(answerBy: nil) : .ordered
      return [isAsked ? .askDevice : .orderAgain]
    case (.wanted, .deviceCame):
      return [.askDevice]
    case (.wanted(answerBy: nil), .told):
      // A device that is told again, because it came back, has no more time for it.
      stage = .wanted(answerBy: now + patience)
      return []
    case (.wanted, .declined), (.wanted(answerBy: .some), .patienceOver):
      // Without another CSR there is nothing to be had; the device is asked when it comes again.
      stage = mayRepeat ? .ordered : .wanted(answerBy: nil)
      return mayRepeat ? [.orderAgain] : []
    case (.waiting, .requested), (.wanted, .requested):
      stage = .ordered
      return []
    case (.ordered, .failedForGood) where connects || !mayRepeat:
      stage = .wanted(answerBy: nil)
      return [.askDevice]
    default:
      return []
    }
  }
}

import PKI

/// Who comes first where there is not room for all: whoever needs a certificate first, and of those the one that came first.
///
/// The queue is in this order, and so are the forecasts of it.
struct Urgency: Hashable, Comparable {
  /// When it is too late.
  let neededBy: Instant
  /// The request's; later ones are higher.
  let number: Int64

  static func < (left: Urgency, right: Urgency) -> Bool { (left.neededBy, left.number) < (right.neededBy, right.number) }

  /// Until when a slot has a certificate; where it has none, one is missing, but a day more is less than an end of one in use. What is, or is about to be,
  /// revoked is as good as over.
  /// - Parameters:
  ///   - end: of the certificate in use.
  ///   - deadline: of the demand that it be renewed.
  static func neededBy(end: Instant?, deadline: Instant?, isEmergency: Bool, at now: Instant) -> Instant {
    isEmergency ? now : min(end ?? now + .days(1), deadline ?? .latest)
  }
}

extension Validity {
  /// From when on a successor may spend what is kept of the CA's limits for emergencies.
  var emergencyFrom: Instant { notAfter - lifetime / 10 }
}

/// When an order is wanted, and how urgent it is then: the order in which turns are forecast.
struct QueuePlace: Hashable, Comparable {
  let wantedAt: Instant
  let urgency: Urgency

  static func < (left: QueuePlace, right: QueuePlace) -> Bool { (left.wantedAt, left.urgency) < (right.wantedAt, right.urgency) }
}

import PKI
import SchedulerAPI

/// Where a request stands, as it is kept. What an order does meanwhile (challenging, finalizing) is not: it ends with the process.
enum RequestPhase: Hashable {
  /// Another device holds this name; an administrator decides.
  case awaitingApproval(DNSName)
  /// It is kept, and ordered then.
  case notDue(until: Instant)
  /// It waits for its turn.
  case queued
  /// Whoever has to answer for a name is not there; it is looked at then, or as soon as somebody comes who answers.
  case waitingForName(AttemptFailure, again: Instant)
  /// An order is under way, or was when the process ended.
  case ordering
  /// The last attempt failed; it is tried again then, or never.
  case failed(AttemptFailure, again: Instant?)
  /// The certificate is here, the device's receipt is not.
  case ready
  /// The device has confirmed that it installed the certificate.
  case installed
  /// A newer request of the slot took its place.
  case superseded

  /// Whether the connector still works for it.
  var isOpen: Bool {
    switch self {
    case .awaitingApproval, .notDue, .queued, .waitingForName, .ordering, .failed(_, again: .some): true
    case .failed(_, again: nil), .ready, .installed, .superseded: false
    }
  }

  /// Whether there is a certificate that its device shall use.
  var isServed: Bool { self == .ready || self == .installed }
}

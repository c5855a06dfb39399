import PKI
import SchedulerAPI

/// That a certificate be renewed ahead of its schedule.
struct RenewalDemand: Hashable {
  let reason: RenewalWish.Reason
  /// From when on.
  let from: Instant
  /// Until when, if not by the end of the certificate.
  var deadline: Instant?

  /// Whether a certificate is as good as over: what is kept of the CA's limits for emergencies is for it too.
  var isEmergency: Bool { reason.gravity >= RenewalWish.Reason.revoked.gravity }

  /// Both demands in one: the graver reason, and the earlier times.
  func joined(by other: RenewalDemand) -> RenewalDemand {
    RenewalDemand(
      reason: reason.gravity < other.reason.gravity ? other.reason : reason, from: min(from, other.from),
      deadline: [deadline, other.deadline].compactMap(\.self).min())
  }
}

extension RenewalWish.Reason {
  fileprivate var gravity: Int {
    switch self {
    case .due: 0
    case .forced: 1
    case .authorityChanged: 2
    case .revoked: 3
    case .keyCompromise: 4
    }
  }
}

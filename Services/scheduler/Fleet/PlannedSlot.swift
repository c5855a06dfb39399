import PKI
import SchedulerAPI

/// What a plan holds of each slot of a fleet.
struct PlannedSlot: ExpectedOrder {
  /// Its newest request.
  let request: PlanSubject
  /// When it is to be ordered, and how urgent it is then.
  let place: QueuePlace
  /// When the certificate in use ends.
  let end: Instant?
  /// In a rehearsal: when the one that there is would have ended, if that is over.
  let ended: Instant?
  let exemption: LedgerExemption
  let emergencyFrom: Instant
  /// The certificate is not of the CA that is to order.
  let isOfOtherAuthority: Bool
  /// It is of a CA for trials, and that is not the one.
  let isForTrial: Bool

  /// The same, if it were to be ordered then.
  func wanted(at moment: Instant) -> PlannedSlot {
    PlannedSlot(
      request: request, place: QueuePlace(wantedAt: moment, urgency: place.urgency), end: end, ended: ended, exemption: exemption,
      emergencyFrom: emergencyFrom, isOfOtherAuthority: isOfOtherAuthority, isForTrial: isForTrial)
  }
}

extension PlannedSlot {
  /// Nil when nothing is to be ordered.
  /// - Parameter brought: how long the certificate is valid that the device has brought with it, where the slot has no other.
  init?(_ outlook: SlotOutlook, brought: Validity?, in rehearsal: Rehearsal, at now: Instant) {
    let certificate = outlook.certificate
    let isOfOther = certificate.map { !rehearsal.isCurrent($0.authority) } ?? false
    let isTrialOfOther = isOfOther && certificate?.isForTrial == true
    let validity = certificate?.validity ?? brought
    let rehearsed = validity.flatMap { rehearsal.certificate($0, issuedAt: certificate?.issuedAt ?? $0.notBefore, at: now) }
    // A request that waits is ordered; else the certificate is renewed.
    let renewedAt = isTrialOfOther ? now : rehearsed?.dueAt ?? certificate?.dueAt
    guard let wantedAt = outlook.isServed ? renewedAt ?? outlook.orderedAt : outlook.orderedAt else { return nil }
    // What is revoked, or of a CA for trials, is not in use: nobody trusts it.
    let isInUse = certificate?.isRevoked != true && !isTrialOfOther
    let end = isInUse ? (rehearsed?.validity ?? validity)?.notAfter : nil
    let neededBy =
      outlook.isServed
      ? Urgency.neededBy(end: end, deadline: certificate?.deadline, isEmergency: certificate?.isEmergency == true, at: wantedAt) : outlook.neededBy
    let exemption: LedgerExemption =
      if isOfOther { .none } else if certificate?.hasWindow == true { .renewalInWindow } else if certificate?.hasSameNames == true {
        .renewal
      } else { .none }
    let isEmergency = outlook.isForced || certificate?.isEmergency == true
    self.init(
      request: .request(outlook.number), place: QueuePlace(wantedAt: wantedAt, urgency: Urgency(neededBy: neededBy, number: outlook.number)),
      end: end,
      ended: isInUse ? rehearsed?.endedAt : nil, exemption: exemption,
      emergencyFrom: isEmergency ? .earliest : (rehearsed?.validity ?? validity)?.emergencyFrom ?? .latest, isOfOtherAuthority: isOfOther,
      isForTrial: isTrialOfOther)
  }
}

extension PlannedSlot {
  /// Whose certificate it is that a device has brought with it, nobody knows: the next one counts as a new one.
  init(_ adopted: AdoptedOutlook, in rehearsal: Rehearsal, at now: Instant) {
    let rehearsed = rehearsal.certificate(adopted.validity, issuedAt: adopted.validity.notBefore, at: now)
    let validity = rehearsed?.validity ?? adopted.validity
    let end = adopted.isForTrial ? nil : validity.notAfter
    let wantedAt =
      adopted.isForTrial
      ? now : rehearsed?.dueAt ?? RenewalSchedule(validity, issuedAt: validity.notBefore).dueAt(by: rehearsal.rule)
    let neededBy = Urgency.neededBy(end: end, deadline: nil, isEmergency: false, at: wantedAt)
    self.init(
      request: .adopted(adopted.device, adopted.names), place: QueuePlace(wantedAt: wantedAt, urgency: Urgency(neededBy: neededBy, number: .max)),
      end: end, ended: adopted.isForTrial ? nil : rehearsed?.endedAt, exemption: .none, emergencyFrom: .latest, isOfOtherAuthority: false,
      isForTrial: false)
  }
}

/// By what a plan is made: the rule, and as if certificates lived for as long as is said.
struct Rehearsal {
  let lifetime: Duration?
  let rule: RenewalRule

  /// Let's Encrypt's profile shortlived (https://letsencrypt.org/docs/profiles/).
  private static let mostShortLivedNames = 25

  /// Whether this directory is that of the CA which is to order.
  func isCurrent(_ authority: String) -> Bool { DirectoryURL(authority) == rule.authority }

  /// What a certificate would be; nil where it stays as it is.
  func certificate(_ validity: Validity, issuedAt: Instant, at now: Instant) -> RehearsedCertificate? {
    lifetime.map { RehearsedCertificate(validity, issuedAt: issuedAt, lifetime: $0, by: rule, at: now) }
  }

  /// What would go wrong with a slot.
  /// - Parameter names: those of its newest request.
  func warnings(_ outlook: SlotOutlook, at now: Instant, names: () throws -> [DNSName]) rethrows -> [String] {
    guard let validity = outlook.certificate.map({ certificate($0.validity, issuedAt: $0.issuedAt, at: now)?.validity ?? $0.validity }) else {
      return []
    }
    var warnings: [String] = []
    let time = validity.notAfter - RenewalSchedule(validity, issuedAt: validity.notBefore).dueAt(by: rule)
    let absence = now - outlook.deviceSeenAt
    if outlook.deviceScope != DeviceKey.administratorScope, absence > time {
      warnings.append(
        "The device \(outlook.deviceKey) was last here \(absence.wholeDays) days ago; between due and end there are \(time.wholeDays) days.")
    }
    if validity.lifetime < .days(10), outlook.nameCount > Self.mostShortLivedNames {
      warnings.append(
        "The certificate for \(try names().summary) has \(outlook.nameCount) names; CAs put \(Self.mostShortLivedNames) into certificates that live so short."
      )
    }
    return warnings
  }
}

extension Duration {
  fileprivate var wholeDays: Int64 { components.seconds / 86_400 }
}

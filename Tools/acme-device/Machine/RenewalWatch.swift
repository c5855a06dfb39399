import PKI

/// Whether the certificate in use should have been replaced by now. The device sees to that by itself, for the connector that should have told it may be
/// what does not work.
struct RenewalWatch: Sendable {
  /// How long after its successor is due, at most, a certificate may stay in use without an alarm; a quarter of the time that is left, if that is less.
  static let longestGrace = Duration.seconds(3 * 86_400)
  /// How often an alarm is repeated: each day, and four times a day when so little time is left, or none.
  private static let (calm, hurry, little) = (Duration.seconds(86_400), Duration.seconds(21_600), Duration.seconds(3 * 86_400))

  /// What the connector has last said of how many days before its end a certificate is renewed; until then its default.
  var renewDays = 30
  /// When the connector has last said that the certificate is due.
  var dueAt: Instant?
  /// When to look again; a timer that runs out before is of a certificate that is replaced.
  private(set) var nextLook: Instant?
  /// Whether the alarm stands.
  private(set) var isRaised = false

  /// From when on the certificate should have been replaced.
  /// - Parameter installAt: when its successor, which is here already, is to be taken into use.
  func overdueAt(_ certificate: X509Certificate, installAt: Instant?) -> Instant {
    let lifetime = certificate.notAfter - certificate.notBefore
    // The connector's rule where the CA suggests nothing.
    let lead = min(.seconds(86_400 * renewDays), lifetime < .seconds(10 * 86_400) ? lifetime / 2 : lifetime / 3)
    let due = max(certificate.notAfter - lead, max(dueAt ?? .earliest, installAt ?? .earliest))
    return due + min(Self.longestGrace, max(.zero, (certificate.notAfter - due) / 4))
  }

  /// Looks at the certificate in use.
  /// - Parameter trouble: what went wrong last.
  mutating func look(at certificate: X509Certificate, installAt: Instant?, trouble: String?, now: Instant) -> [DeviceAction] {
    let overdue = overdueAt(certificate, installAt: installAt)
    let names = certificate.names.map(\.value).joined(separator: ", ")
    guard now >= overdue else {
      defer { isRaised = false }
      nextLook = overdue
      let end = CertificateAlarm(isOver: true, text: "The certificate for \(names) is in time again; it ends \(certificate.notAfter).", certificate)
      return (isRaised ? [.alarm(end)] : []) + [.wake(.renewalWatch, at: overdue)]
    }
    isRaised = true
    let next = now + (certificate.notAfter - now > Self.little ? Self.calm : Self.hurry)
    nextLook = next
    let end = now < certificate.notAfter ? "ends \(certificate.notAfter)" : "has ended \(certificate.notAfter)"
    let text = "The certificate for \(names) \(end), and has no successor. \(trouble ?? "The connector has not said why.")"
    return [.alarm(CertificateAlarm(isOver: false, text: text, certificate)), .wake(.renewalWatch, at: next)]
  }
}

extension DeviceMachine {
  /// Looks whether the certificate in use should have been replaced, now and when that may be so.
  mutating func watchRenewal(_ now: Instant) -> [DeviceAction] {
    guard let leaf = installed?.chain.leaf else { return [] }
    var installAt: Instant?
    if case .delivered(_, let moment) = request?.stage { installAt = moment }
    return renewalWatch.look(at: leaf, installAt: installAt, trouble: trouble, now: now)
  }
}

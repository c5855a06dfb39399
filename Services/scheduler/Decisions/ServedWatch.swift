import PKI
import SchedulerAPI

/// Whether a certificate that its device has confirmed is the one that its names serve. It is looked at soon after the receipt, and then less and less
/// often until it is seen.
struct ServedWatch: Hashable {
  /// What was seen at a device's names.
  struct Sighting: Hashable {
    let name: DNSName
    let port: Int
    let address: String
    let fingerprint: Fingerprint
  }

  /// What follows.
  enum Verdict: Hashable {
    /// The certificate is in use where it can be seen.
    case served
    /// Another one is, there; that may be mended by now.
    case another(Sighting, isAlarm: Bool, lookAt: Instant)
    /// Nothing can be seen; nil when that will not change.
    case unseen(lookAt: Instant?)
  }

  let fingerprint: Fingerprint
  let installedAt: Instant

  /// How long after the receipt it is looked at first.
  static let firstLook = Duration.seconds(60)
  /// How long after the receipt a server may serve the certificate before it.
  static let grace = Duration.seconds(3_600)
  /// The longest pause between two looks.
  private static let longestPause = Duration.days(1)
  /// How long it is looked for where nobody answers: many devices cannot be reached from here.
  private static let patience = Duration.days(3)

  func verdict(_ sightings: [Sighting], at now: Instant) -> Verdict {
    let next = now + min(max(now - installedAt, Self.firstLook), Self.longestPause)
    // Several servers may stand behind a name: it is enough that one of them serves it, at each port.
    for name in Set(sightings.map(\.name)).sorted() {
      let ports = Dictionary(grouping: sightings.filter { $0.name == name }, by: \.port).sorted { $0.key < $1.key }
      let stale = ports.first { _, seen in !seen.contains { $0.fingerprint == fingerprint } }
      guard let other = stale?.value.first else { continue }
      return .another(other, isAlarm: now - installedAt >= Self.grace, lookAt: next)
    }
    if !sightings.isEmpty { return .served }
    return .unseen(lookAt: now - installedAt < Self.patience ? next : nil)
  }
}

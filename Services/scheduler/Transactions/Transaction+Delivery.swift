import GRDB
import PKI
import SchedulerAPI

// When a certificate is handed over.
extension Transaction {
  /// Whether the certificate is not valid yet by its device's own clock, so that the device would take it for a wrong one; it is told when it is.
  mutating func isHeldBack(_ request: RequestRecord) throws -> Bool {
    guard request.phase == .ready, let offset = try DeviceRecord.fetch(request.device, from: database)?.clockOffset,
      var certificate = try CertificateRecord.of(request.id, from: database)
    else { return false }
    let wait = certificate.notBefore - (now + .milliseconds(offset))
    guard wait > Self.leastWait, wait <= Self.longestWait else { return false }
    certificate.announceAt = now + wait
    try certificate.update(database)
    hasWork = true
    return true
  }

  /// What a message takes on its way counts as the device's clock being behind.
  private static let leastWait = Duration.seconds(60)
  /// A clock that is more wrong than that tells nothing, and no certificate at all is worse.
  private static let longestWait = Duration.days(1)
}

import PKI
import Systemd

/// The certificate in use should have been replaced, or at last is.
struct CertificateAlarm: Sendable, Hashable {
  /// Whether this is the end of the alarm.
  let isOver: Bool
  /// What is wrong, in a sentence or two.
  let text: String
  /// When the certificate in use ends.
  let notAfter: Instant

  init(isOver: Bool, text: String, _ certificate: X509Certificate) {
    self.isOver = isOver
    self.text = text
    notAfter = certificate.notAfter
  }

  /// Its `MESSAGE_ID`, which `journalctl -x` explains from acme-device.catalog.
  var messageID: String { isOver ? "0abe6af3c35a4c1f95f6f0a89654273e" : "fa71fae3fafa442db9d01927b63a4168" }

  /// The record for the journal (systemd.journal-fields(7)), with this as its message.
  func record(_ message: String) -> JournalRecord {
    var record = JournalRecord()
    record.add("MESSAGE", message)
    record.add("MESSAGE_ID", messageID)
    record.add("PRIORITY", isOver ? "5" : "3")
    record.add("SYSLOG_IDENTIFIER", "acme-device")
    record.add("END", "\(notAfter)")
    return record
  }
}

import Glibc
import Testing

@testable import Systemd

@Suite struct ServiceNotificationTests {
  @Test("notifications are the assignments of sd_notify(3)")
  func assignments() {
    #expect(ServiceNotification.ready.assignments == "READY=1")
    #expect(ServiceNotification.stopping.assignments == "STOPPING=1")
    #expect(ServiceNotification.watchdog.assignments == "WATCHDOG=1")
    #expect(ServiceNotification.reloading(monotonicMicroseconds: 12).assignments == "RELOADING=1\nMONOTONIC_USEC=12")
  }

  @Test("a reload's time is that of the monotonic clock")
  func reloadTime() {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    guard case .reloading(let microseconds) = ServiceNotification.reloadingNow else { return }
    #expect(microseconds >= UInt64(now.tv_sec) * 1_000_000 && microseconds < UInt64(now.tv_sec + 60) * 1_000_000)
  }

  @Test("a status with line breaks stays a status", arguments: ["a\nREADY=1", "a\r\nREADY=1", "a\u{2028}READY=1"])
  func status(text: String) {
    #expect(ServiceNotification.status(text).assignments == "STATUS=a READY=1")
  }
}

@Suite struct JournalTests {
  @Test(
    "keys become field names that journald takes",
    arguments: [
      ("dns", "DNS"), ("order-url", "ORDER_URL"), ("_trusted", "TRUSTED"), ("9lives", "LIVES"), ("sl-signal", "SL_SIGNAL"), ("ä", nil), ("", nil),
    ] as [(String, String?)])
  func fieldName(key: String, expected: String?) {
    #expect(JournalRecord.fieldName(key) == expected)
  }

  @Test("a field name has at most 64 characters")
  func longFieldName() {
    #expect(JournalRecord.fieldName(String(repeating: "x", count: 100))?.count == 64)
  }

  @Test("standard error is the journal only when device and inode say so")
  func standardError() {
    var status = stat()
    #expect(fstat(STDERR_FILENO, &status) == 0)
    #expect(Journal.isStandardError(variables: ["JOURNAL_STREAM": "\(status.st_dev):\(status.st_ino)"]))
    #expect(!Journal.isStandardError(variables: ["JOURNAL_STREAM": "\(status.st_dev):\(status.st_ino + 1)"]))
    #expect(!Journal.isStandardError(variables: [:]))
  }
}

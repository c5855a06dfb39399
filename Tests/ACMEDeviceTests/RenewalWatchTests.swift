import AppWebsocket
import PKI
import Testing

@testable import ACMEDeviceCommand

@Suite("A device that watches its own certificate")
struct RenewalWatchTests {
  private let fixture: MachineFixture
  /// Due thirty days before its end.
  private let late: Instant

  init() throws {
    fixture = try MachineFixture(stays: true)
    late = fixture.old.chain.leaf.notAfter - .seconds(27 * 86_400)
  }

  private func alarms(_ actions: [DeviceAction]) -> [CertificateAlarm] {
    actions.compactMap { if case .alarm(let alarm) = $0 { alarm } else { nil } }
  }

  private func wakes(_ actions: [DeviceAction]) -> [Instant] {
    actions.compactMap { if case .wake(.renewalWatch, let moment) = $0 { moment } else { nil } }
  }

  @Test("raises an alarm three days after that is due, though no connector answers, and repeats it each day, more often at the end")
  func raised() {
    var device = fixture.device(installed: fixture.old)
    #expect(wakes(device.handle(.started)) == [late])
    _ = device.handle(.disconnected(.failed(.broken("no route"))))
    device.now = late
    let first = device.handle(.fired(.renewalWatch))
    #expect(alarms(first).map(\.isOver) == [false] && alarms(first).first?.text.contains("no route") == true)
    #expect(wakes(first) == [late + .seconds(86_400)])
    device.now = fixture.old.chain.leaf.notAfter + .seconds(1)
    let last = device.handle(.fired(.renewalWatch))
    #expect(alarms(last).first?.text.contains("has ended") == true && wakes(last) == [device.now + .seconds(21_600)])
  }

  @Test("raises it at the start when it is late by then, and ends it with the new certificate")
  func over() throws {
    let ending = InstalledCertificate(
      chain: try fixture.authority.issue(fixture.request.csr, notAfter: fixture.now + .seconds(86_400)), request: fixture.known)
    var device = fixture.device(installed: ending)
    #expect(alarms(device.handle(.started)).map(\.isOver) == [false])
    #expect(alarms(device.handle(.installed(fixture.installed))).map(\.isOver) == [true])
    device.now = late
    #expect(alarms(device.handle(.fired(.renewalWatch))).count == 1)
  }

  @Test("is not alarmed by a timer of the certificate before, by a successor that waits for its time, or by what the connector calls not due")
  func patient() {
    var device = fixture.device(installed: fixture.old)
    _ = device.handle(.started)
    #expect(device.handle(.fired(.renewalWatch)).isEmpty)

    var watch = RenewalWatch()
    let leaf = fixture.old.chain.leaf
    #expect(watch.overdueAt(leaf, installAt: leaf.notAfter - .seconds(10 * 86_400)) == leaf.notAfter - .seconds(15 * 86_400 / 2))
    watch.dueAt = leaf.notAfter - .seconds(20 * 86_400)
    #expect(watch.overdueAt(leaf, installAt: nil) == leaf.notAfter - .seconds(17 * 86_400))
    watch = RenewalWatch()
    watch.renewDays = 60
    #expect(watch.overdueAt(leaf, installAt: nil) == leaf.notAfter - .seconds(57 * 86_400))
  }
}

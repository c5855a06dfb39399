import FoundationEssentials
import Programs
import SchedulerAPI
import Testing

extension Integration {
  @Suite("A certificate is revoked by the real CA") struct RevocationTests {
    @Test("and its device gets another one when it comes back")
    func revoked() async throws {
      try await Testbed.with { bed in
        let (device, names) = (bed.device(), Testbed.names(1))
        try await #require(device.enroll(names).succeeded)
        let serial = try await device.serial()
        let digits = try #require(serial.split(whereSeparator: { $0 == "=" || $0.isNewline }).last.map(String.init))
        let revoked = try await bed.connector.administer("revoke", "--serial", digits, "--reason", "superseded")
        try #require(revoked.succeeded, "\(revoked.complaints)")
        let states = try await bed.connector.certificates().map(\.state)
        try #require(states == [.revoked])

        let outcome = try await device.enroll(names)
        try #require(outcome.succeeded, "\(outcome.complaints)")
        let newSerial = try await device.serial()
        try #require(newSerial != serial)
        try await #require(device.holdsCertificate(for: names, under: bed.pebble.root))
        try #require(bed.pebble.record() == .init(orders: 2, certificates: 2))
      }
    }

    @Test("after a compromise of its key, which its device then does without")
    func compromised() async throws {
      try await Testbed.with { bed in
        let (device, names) = (bed.device(), Testbed.names(1))
        try await #require(device.enroll(names).succeeded)
        let key = try String(contentsOfFile: device.file("key.pem"), encoding: .utf8)
        let id = try #require(try await bed.connector.certificates().first?.device.rawValue)
        let revoked = try await bed.connector.administer("revoke", "--device", id, "--reason", "keyCompromise")
        try #require(revoked.succeeded, "\(revoked.complaints)")

        let outcome = try await device.enroll(names)
        try #require(outcome.succeeded, "\(outcome.complaints)")
        try #require(String(contentsOfFile: device.file("key.pem"), encoding: .utf8) != key)
        try await #require(device.holdsCertificate(for: names, under: bed.pebble.root))
      }
    }

    @Test("of a device that is retired, and comes back in vain until it is taken back")
    func retired() async throws {
      try await Testbed.with { bed in
        let (device, names) = (bed.device(), Testbed.names(1))
        try await #require(device.enroll(names).succeeded)
        let id = try #require(try await bed.connector.certificates().first?.device.rawValue)
        let retired = try await bed.connector.administer("devices", "retire", id, "--revoke")
        try #require(retired.succeeded, "\(retired.complaints)")
        let refused = try await device.enroll(names, limit: .seconds(10))
        try #require(!refused.succeeded && refused.complaints.contains("(retired)"), "\(refused.complaints)")

        try await #require(bed.connector.administer("devices", "reinstate", id).succeeded)
        let outcome = try await device.enroll(names)
        try #require(outcome.succeeded, "\(outcome.complaints)")
        try await #require(device.holdsCertificate(for: names, under: bed.pebble.root))
      }
    }
  }
}

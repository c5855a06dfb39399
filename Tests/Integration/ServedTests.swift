import FoundationEssentials
import PKI
import Programs
import SchedulerAPI
import Testing

extension Integration {
  @Suite("Whether an installed certificate is served is seen by connecting to its names") struct ServedTests {
    /// A name that every machine resolves, to itself.
    private static let name = "localhost"

    @Test("another one is an alarm, which ends when the right one is seen; at this machine's own addresses it is looked for only if that is set")
    func served() async throws {
      let port = try Testbed.freePort()
      try await Testbed.with(environment: ["ACME_CONNECTOR_SERVED_PORTS": "\(port)"]) { bed in
        let (device, connector) = (bed.device(), bed.connector)
        let outcome = try await device.enroll([Self.name])
        try #require(outcome.succeeded, "\(outcome.complaints)")
        try await connector.firstRequest(in: .installed)

        let other = bed.folder.appending(path: "other.pem").path
        let made = try await Command(
          "openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other", "-keyout", other, "-out", other]
        ).run()
        try #require(made.succeeded, "\(made.complaints)")
        try await serving(["-cert", other], at: port, in: bed) {
          try await lookNow(connector, "served.privateAddresses", "false")
          try await #require(connector.alarms().isEmpty, "nothing can be seen")
          try await lookNow(connector, "served.privateAddresses", "true")
          try await connector.eventually("nobody is told that another certificate is served") {
            try await connector.alarms().map(\.code) == [.notServed]
          }
          let alarm = try #require(try await connector.alarms().first)
          try #require(alarm.name?.value == Self.name && alarm.text.contains("127.0.0.1"))
        }
        let before = try await connector.certificates().first
        try #require(before?.servedAt == nil)

        let own = ["-cert", device.file("certificate.pem"), "-key", device.file("key.pem"), "-cert_chain", device.file("chain.pem")]
        try await serving(own, at: port, in: bed) {
          try await lookNow(connector, "served.privateAddresses", "true")
          try await connector.eventually("the certificate is not seen") { try await connector.certificates().first?.servedAt != nil }
        }
        try await #require(connector.alarms().isEmpty)
        let stamped = try #require(try await connector.certificates().first)
        let stamps = [stamped.orderedAt, stamped.issuedAt, stamped.deliveredAt, stamped.installedAt, stamped.servedAt].compactMap(\.self)
        // The receipt was put back by three hours below.
        try #require(stamps.count == 5 && Array(stamps[..<3]) == stamps[..<3].sorted() && stamps[3] < stamps[4])
        let events = try await connector.events().filter { $0.code == "certificateServed" }
        try #require(events.count == 1)
      }
    }

    /// A TLS server of other people beside `body`.
    private func serving(_ certificate: [String], at port: Int, in bed: Testbed, _ body: @Sendable () async throws -> Void) async throws {
      let server = Command("openssl", ["s_server", "-accept", "127.0.0.1:\(port)", "-www", "-quiet"] + certificate)
      let check = "openssl s_client -connect 127.0.0.1:\(port) </dev/null"
      try await server.running(when: check, log: bed.folder.appending(path: "server.log")) { try await body() }
    }

    /// Has the scheduler take the receipt for one of three hours ago, about which it has not looked since, and look when a setting changes.
    private func lookNow(_ connector: Connector, _ setting: String, _ value: String) async throws {
      let database = connector.state.appending(path: "state/scheduler/scheduler.sqlite").path
      let statement = "UPDATE certificate SET installedAt = issuedAt - 10800000, observeAt = 1"
      let changed = try await Command("sqlite3", ["-cmd", ".timeout 5000", database, statement]).run()
      try #require(changed.succeeded, "\(changed.complaints)")
      try await #require(connector.administer("settings", "set", setting, value).succeeded)
      try await connector.eventually("it was not looked") {
        let left = try await Command("sqlite3", ["-readonly", database, "SELECT count(*) FROM certificate WHERE observeAt = 1"]).run()
        return left.output == "0\n"
      }
    }
  }
}

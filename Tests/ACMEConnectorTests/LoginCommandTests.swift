import DeviceGatewayAPI
import FoundationEssentials
import MetricsAPI
import NIOConcurrencyHelpers
import PKI
import SchedulerAPI
import Testing
import Varlink

@testable import ACMEConnectorCommand

@Suite("Commands that ask the gateway, and all services")
struct LoginCommandTests {
  private static let login = Logins.Login(
    name: "south", scope: .domain, kind: .device, domain: "example.com", nameSuffixes: ["example.com"],
    secrets: [.init(createdAt: TestConnector.now, lastUsedAt: Samples.seen)])

  private static let list = VarlinkHandler.list(Logins.List.self) { _ in [Self.login] }

  private static let describe = VarlinkHandler.reply(Logins.Describe.self) { _, _ in
    .init(
      pin: SubjectPublicKeyPin(of: []), path: "/connector", connections: 3, fingerprint: Fingerprint(of: []),
      notAfter: TestConnector.now + .seconds(86400 * 10))
  }

  private func serving(_ handlers: VarlinkHandler...) -> [String: VarlinkInterfaceHandlers] {
    ["logins.sock": VarlinkInterfaceHandlers(.logins, handlers)]
  }

  @Test("a new login's secret is the only thing on standard output")
  func add() async throws {
    let made = NIOLockedValueBox("")
    let handler = VarlinkHandler.reply(Logins.Add.self) { parameters, _ in
      #expect(parameters.domain == "example.com" && parameters.nameSuffixes == ["example.com", "example.org"])
      made.withLockedValue { $0 = parameters.secret }
      return Logins.Changed(login: Self.login)
    }
    let printed = try await TestConnector.serving(serving(handler)) {
      try await $0.run(
        "logins", "add", "south", "--scope", "domain", "--domain", "example.com", "--suffix", "example.com", "--suffix", "Example.org")
    }
    let secret = made.withLockedValue { $0 }
    #expect(secret.count == 15 && secret.utf8.allSatisfy { $0 != 0x20 })
    #expect(printed.output == "\(secret)\n")
    #expect(printed.notes == "Login south (device, scope domain) has a new secret:\n")
  }

  @Test("a secret that the administrator brings is not repeated")
  func addWithSecret() async throws {
    let handler = VarlinkHandler.reply(Logins.Add.self) { parameters, _ in
      #expect(parameters.secret == "s3cret")
      return Logins.Changed(login: Self.login)
    }
    let printed = try await TestConnector.serving(serving(handler)) { connector in
      let file = "\(connector.directory)/secret"
      try Data("s3cret\nsecond line\n".utf8).write(to: URL(filePath: file))
      return try await connector.run("logins", "add", "south", "--secret-file", file)
    }
    #expect(!(printed.output + printed.notes).contains("s3cret"))
  }

  @Test("an overlap ends that long from now")
  func rotate() async throws {
    let until = NIOLockedValueBox<Instant?>(nil)
    let handler = VarlinkHandler.reply(Logins.Rotate.self) { parameters, _ in
      until.withLockedValue { $0 = parameters.overlapUntil }
      return Logins.Changed(login: Self.login)
    }
    try await TestConnector.serving(serving(handler)) { _ = try await $0.run("logins", "rotate", "south", "--overlap", "7d") }
    #expect(until.withLockedValue { $0 } == TestConnector.now + .seconds(7 * 86400))
  }

  @Test("logins are listed without their secrets")
  func list() async throws {
    let printed = try await TestConnector.serving(serving(Self.list)) { try await $0.run("logins") }
    #expect(
      printed.output == """
        LOGIN  KIND    SCOPE   DOMAIN       NAMES UNDER  LAST USED                              OLD SECRET UNTIL
        south  device  domain  example.com  example.com  2026-11-23T11:30:00Z (30 minutes ago)  -

        """)
  }

  @Test("the last login cannot be removed, and the gateway says so")
  func removeLast() async throws {
    let handler = VarlinkHandler.reply(Logins.Remove.self) { _, _ in
      throw Logins.Refused(error: .lastLogin, text: "This is the last login of a device.")
    }
    let error = await #expect(throws: CommandError.self) {
      try await TestConnector.serving(serving(Self.list, handler)) { try await $0.run("logins", "remove", "south") }
    }
    #expect(error?.description == "This is the last login of a device.")
  }

  @Test("a login that is not there cannot be removed by mistyping it")
  func removeNone() async throws {
    let error = await #expect(throws: CommandError.self) {
      try await TestConnector.serving(serving(Self.list)) { try await $0.run("logins", "remove", "soth") }
    }
    #expect(error?.description == "There is no login soth; `acme-connector logins` lists them.")
  }

  @Test("the status joins what scheduler and gateway say")
  func status() async throws {
    let status = VarlinkHandler.reply(AdminMethods.Status.self) { _, _ in
      .init(
        version: "1.0", startedAt: Samples.seen, configured: true, authority: "https://ca.example/directory", devices: 2, names: 3,
        requests: [StateCount(state: .installed, count: 2), StateCount(state: .failed, count: 0)], schemaVersion: 1)
    }
    let sockets = ["admin.sock": VarlinkInterfaceHandlers(.admin, [status])].merging(serving(Self.describe)) { $1 }
    let printed = try await TestConnector.serving(sockets) { try await $0.run("status") }
    #expect(
      printed.output == """
        version:               1.0, since 2026-11-23T11:30:00Z (30 minutes ago)
        authority:             https://ca.example/directory
        orders:                may be made
        alarms:                none
        devices:               2
        names:                 3
        requests:              2 installed
        first expiry:          -
        devices' path:         /connector
        pin:                   e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
        connections:           3
        gateway's certificate: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855, signed by itself, until 2026-12-03T12:00:00Z (in 10 days)

        """)
  }

  @Test("metrics of all services come as one text, and a service that does not answer is noted")
  func metrics() async throws {
    func metrics(_ text: String) -> VarlinkInterfaceHandlers {
      VarlinkInterfaceHandlers(.metrics, [.reply(Metrics.Read.self) { _, _ in .init(exposition: text) }])
    }
    let sockets = [
      "acme-client.sock": metrics("up 1\n"), "challenge-http.sock": metrics("up 1\n"), "admin.sock": metrics("up 1\n"),
    ]
    let printed = try await TestConnector.serving(sockets) { try await $0.run("metrics") }
    #expect(printed.output == "up{service=\"acme-client\"} 1\nup{service=\"challenge-http\"} 1\nup{service=\"scheduler\"} 1\n")
    #expect(printed.notes.hasPrefix("device-gateway: There is no connector at "))
  }
}

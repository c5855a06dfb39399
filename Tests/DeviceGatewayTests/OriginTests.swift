import AppWebsocket
import FoundationEssentials
import PKI
import RawSocket
import SchedulerAPI
import ServiceRuntime
import Testing

@testable import DeviceGateway

@Suite("Behind a reverse proxy", .timeLimit(.minutes(1)))
struct OriginTests {
  @Test(
    "the last hop that no trusted proxy is counts, whatever stands before it; a proxy that does not say stands for many",
    arguments: [
      ("203.0.113.7", "203.0.113.7", false), ("198.51.100.1, 203.0.113.7", "203.0.113.7", false),
      ("203.0.113.7, 192.0.2.81", "203.0.113.7", false), ("127.0.0.1, 203.0.113.7, 192.0.2.81,192.0.2.82", "203.0.113.7", false),
      ("203.0.113.7:50123", "203.0.113.7", false), ("2001:db8::7", "2001:db8::7", false), ("[2001:db8::7]", "2001:db8::7", false),
      ("[2001:db8::7]:443", "2001:db8::7", false), ("fe80::7%eth0", "fe80::7", false), ("::ffff:203.0.113.7", "203.0.113.7", false),
      ("[2001:db8::7", "192.0.2.80", true), ("[2001:db8::7]x", "192.0.2.80", true), ("203.0.113.7:99999", "192.0.2.80", true),
      ("", "192.0.2.80", true), (" , ,", "192.0.2.80", true), ("unknown", "192.0.2.80", true), ("203.0.113.7, _hidden", "192.0.2.80", true),
      ("203.0.113.7, unknown, 192.0.2.81", "192.0.2.81", true), ("192.0.2.82, 192.0.2.81", "192.0.2.82", true),
      ("203.0.113.256", "192.0.2.80", true), ("for=203.0.113.7", "192.0.2.80", true), (String(repeating: "1", count: 4_000), "192.0.2.80", true),
      (String(repeating: "203.0.113.7,", count: 600), "203.0.113.7", false),
      ("203.0.113.7," + String(repeating: "192.0.2.81,", count: 600), "192.0.2.81", true),
    ])
  func hops(field: String, address: String, isShared: Bool) throws {
    let trusted = try #require(IPNetwork("192.0.2.80/28"))
    let hops = field.split(separator: ",").map { $0.drop { $0 == " " } }
    let origin = Origin(of: try Origin("192.0.2.80").address, askingFor: hops) { $0.ipAddress.map(trusted.contains) ?? false }
    #expect(origin == Origin(address: try Origin(address).address, isShared: isShared))
    let stranger = Origin(of: try Origin("198.51.100.9").address, askingFor: hops) { $0.ipAddress.map(trusted.contains) ?? false }
    #expect(try stranger == Origin("198.51.100.9"))
  }

  /// A gateway that trusts proxies on this machine.
  private func gateway(limits: DoorLimits = DoorLimits(), _ body: @escaping @Sendable (TestGateway) async throws -> Void) async throws {
    let scheduler = FakeScheduler()
    try scheduler.with { $0.trustedProxies = try ["127.0.0.1", "::1"].map { try #require(IPNetwork($0)) } }
    // Nobody need wait: who comes first is judged by what the scheduler says.
    try await TestGateway.run(limits: limits, scheduler: scheduler, body)
  }

  @Test("a guesser has its neighbours wait no more, and those who are refused are told by their own addresses", arguments: [false, true])
  func throttled(overUnixSocket: Bool) async throws {
    try await gateway { gateway in
      func logIn(_ sip: String, _ secret: String, from hops: String) async throws -> AppLoginResult {
        try await gateway.connect(forwardedFor: hops, overUnixSocket: overUnixSocket).logIn(sip: sip, secret: secret)
      }
      for number in 0..<Throttle().freeGuesses {
        // What a client invents before the proxy's own word is nothing.
        let guess = try await logIn("guessed", "wrong", from: "198.51.100.\(number), 203.0.113.7")
        #expect(guess == .refused(.loginRefused, retryAfterSec: nil))
      }
      #expect(try await logIn("a", TestGateway.deviceSecret, from: "203.0.113.7") == .refused(.loginBlocked, retryAfterSec: 1))
      #expect(try await logIn("b", TestGateway.deviceSecret, from: "203.0.113.8") == .accepted(domain: ""))
      try await eventually("the scheduler is told") { gateway.scheduler.with { !$0.refused.isEmpty } }
      #expect(gateway.scheduler.with { $0.refused.first?.address } == "203.0.113.7")
    }
  }

  @Test("a device's record has its own address")
  func record() async throws {
    try await gateway { gateway in
      let device = try await gateway.connect(forwardedFor: "2001:db8::7")
      _ = try await device.logIn(sip: "a", secret: TestGateway.deviceSecret)
      try await eventually("the device is registered") { gateway.scheduler.with { !$0.registrations.isEmpty } }
      try await device.send(KeepAlive().text)
      #expect(gateway.scheduler.with { $0.registrations.first?.identity.address } == "2001:db8::7")
    }
  }

  @Test("nobody is believed whom nobody has named")
  func untrusted() async throws {
    try await TestGateway.run { gateway in
      for number in 0..<Throttle().freeGuesses {
        _ = try await gateway.connect(forwardedFor: "203.0.113.\(number)").logIn(sip: "guessed", secret: "wrong")
      }
      let other = try await gateway.connect(forwardedFor: "203.0.113.99").logIn(sip: "a", secret: TestGateway.deviceSecret)
      #expect(other == .refused(.loginBlocked, retryAfterSec: 1))
      try await eventually("the scheduler is told") { gateway.scheduler.with { !$0.refused.isEmpty } }
      #expect(gateway.scheduler.with { $0.refused.first?.address } == "127.0.0.1")
    }
  }

  @Test("too many from one address make room for each other, and for nobody else")
  func crowd() async throws {
    var limits = DoorLimits()
    limits.strangersPerNetwork = 1
    try await gateway(limits: limits) { gateway in
      let other = try await gateway.connect(forwardedFor: "203.0.113.8")
      let first = try await gateway.connect(forwardedFor: "203.0.113.7")
      let second = try await gateway.connect(forwardedFor: "203.0.113.7")
      #expect(try await first.receive() == nil)
      for device in [other, second] {
        #expect(try await device.logIn(sip: "a", secret: TestGateway.deviceSecret) == .accepted(domain: ""))
      }
    }
  }

  @Test("a header field of any length ends no more than its own connection")
  func long() async throws {
    try await gateway { gateway in
      let refused = await #expect(throws: TestDevice.NotUpgraded.self) {
        try await gateway.connect(forwardedFor: String(repeating: "127.0.0.1,", count: 1_000))
      }
      #expect(refused?.head == "")
      // Just short enough.
      _ = try await gateway.connect(forwardedFor: String(repeating: "127.0.0.1,", count: 700))
    }
  }

  @Test("the proxies are known from the first connection on, also while the scheduler is away")
  func kept() async throws {
    let folder = try TemporaryFolder()
    try await TestGateway.run(in: folder) { gateway in
      gateway.scheduler.tellGateway(trustedProxies: [try #require(IPNetwork("127.0.0.0/8"))])
      let kept = AtomicFile(folder.url("state/trusted-proxies.json"))
      try await eventually("they are on disk") { try kept.read(limit: 1 << 10) != nil }
    }
    try await TestGateway.run(withScheduler: false, in: folder) { gateway in
      for _ in 0..<Throttle().freeGuesses {
        _ = try await gateway.connect(forwardedFor: "203.0.113.7").logIn(sip: "guessed", secret: "wrong")
      }
      let other = try await gateway.connect(forwardedFor: "203.0.113.8").logIn(sip: "a", secret: TestGateway.deviceSecret)
      #expect(other == .accepted(domain: ""))
    }
  }
}

extension Origin {
  /// One address that no others share.
  init(_ text: String) throws {
    self.init(address: PeerAddress(try #require(IPAddress(text))), isShared: false)
  }
}

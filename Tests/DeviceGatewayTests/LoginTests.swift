import AppWebsocket
import DeviceGatewayAPI
import FoundationEssentials
import NIOCore
import PKI
import RawSocket
import SchedulerAPI
import ServiceRuntime
import Testing
import Varlink

@testable import DeviceGateway

@Suite("Logins at the door", .timeLimit(.minutes(1)))
struct LoginTests {
  @Test("a right secret opens the door, and the answer names the domain")
  func accepted() async throws {
    try await TestGateway.run { gateway in
      let device = try await gateway.connect()
      let result = try await device.logIn(sip: "001122334455", secret: TestGateway.deviceSecret, domain: "example.com")
      #expect(result == .accepted(domain: "example.com"))
    }
  }

  @Test("a wrong secret is refused, and the connection closed")
  func refused() async throws {
    try await TestGateway.run { gateway in
      let device = try await gateway.connect()
      #expect(try await device.logIn(sip: "001122334455", secret: "wrong") == .refused(.loginRefused, retryAfterSec: nil))
      #expect(try await device.closeCode() == 1008)
    }
  }

  @Test("the scheduler is told who is refused for the third time")
  func refusedAgain() async throws {
    try await TestGateway.run { gateway in
      for _ in 1...3 { _ = try await gateway.connect().logIn(sip: "001122334455", secret: "old", domain: "example.com") }
      try await eventually("the scheduler is told") { gateway.scheduler.with { !$0.refused.isEmpty } }
      let told = gateway.scheduler.with { $0.refused }
      #expect(told.map(\.sip) == ["001122334455"] && told.map(\.domain) == ["example.com"] && told.map(\.count) == [3])
      #expect(told.first?.address == "127.0.0.1")
    }
  }

  @Test("a guesser is made to wait, even with the right secret")
  func throttled() async throws {
    try await TestGateway.run { gateway in
      for _ in 0..<Throttle().freeGuesses {
        let guess = try await gateway.connect().logIn(sip: "guessed", secret: "wrong")
        #expect(guess == .refused(.loginRefused, retryAfterSec: nil))
      }
      let result = try await gateway.connect().logIn(sip: "guessed", secret: TestGateway.deviceSecret)
      #expect(result == .refused(.loginBlocked, retryAfterSec: 1))
    }
  }

  @Test("who was there before a restart is let in although somebody guesses from its address, who was not waits")
  func knownAfterRestart() async throws {
    let folder = try TemporaryFolder()
    try Data(TestGateway.deviceSecret.utf8).write(to: folder.url("device"))
    let environment = ServiceEnvironment(
      name: "device-gateway", variables: ["STATE_DIRECTORY": folder.path, "CREDENTIALS_DIRECTORY": folder.path])
    let challenge = try #require(Challenge("1234"))
    let (moment, origin) = (ContinuousClock.now, try Origin("192.0.2.7"))
    func judge(_ sip: String, _ secret: String, by store: LoginStore) -> Authenticator.Judgement {
      let login = Login(.init(app: "test", domain: "", sip: sip), info: nil, challenge: challenge, password: secret)
      return store.authenticator.judge(login, challenge: challenge, from: origin, at: moment)
    }
    let before = try LoginStore(in: environment)
    _ = judge("known", TestGateway.deviceSecret, by: before)
    try await before.storeUses()

    let after = try LoginStore(in: environment)
    for _ in 0..<Throttle().freeGuesses { _ = judge("guessed", "wrong", by: after) }
    guard case .admitted = judge("known", TestGateway.deviceSecret, by: after) else {
      Issue.record("the device was there before")
      return
    }
    guard case .blocked(.seconds(1)) = judge("unknown", TestGateway.deviceSecret, by: after) else {
      Issue.record("nobody knows this one")
      return
    }
  }

  @Test("whoever knows one secret gains no guesses at others by it, however many knownClients it makes")
  func insider() async throws {
    let folder = try TemporaryFolder()
    for name in ["device", "admin"] { try Data("\(name)\(TestGateway.deviceSecret)".utf8).write(to: folder.url(name)) }
    let store = try LoginStore(
      in: ServiceEnvironment(name: "device-gateway", variables: ["STATE_DIRECTORY": folder.path, "CREDENTIALS_DIRECTORY": folder.path]))
    let challenge = try #require(Challenge("1234"))
    let (moment, origin) = (ContinuousClock.now, try Origin("192.0.2.7"))
    func judge(_ sip: String, _ secret: String) -> Authenticator.Judgement {
      let login = Login(.init(app: "test", domain: "", sip: sip), info: nil, challenge: challenge, password: secret)
      return store.authenticator.judge(login, challenge: challenge, from: origin, at: moment)
    }
    for number in 1...100 { _ = judge("\(number)", "device\(TestGateway.deviceSecret)") }
    for _ in 0..<Throttle().freeGuesses { _ = judge("guesser", "wrong") }
    guard case .refused = judge("1", "admin\(TestGateway.deviceSecret)") else {
      Issue.record("the secret of the administrators was looked at")
      return
    }
    guard case .admitted(let login, _) = judge("2", "device\(TestGateway.deviceSecret)") else {
      Issue.record("the device was there before")
      return
    }
    #expect(login.kind == .device)
  }

  @Test("before the login nothing but the login is possible")
  func beforeLogin() async throws {
    try await TestGateway.run { gateway in
      let device = try await gateway.connect()
      try await device.send(#"{"mt":"RequestCertificate","csr":"x"}"#)
      #expect(try await device.closeCode() == 1008)
    }
  }

  @Test("who does not log in in time is let go")
  func loginTime() async throws {
    var limits = DoorLimits()
    limits.loginTime = .milliseconds(50)
    try await TestGateway.run(limits: limits) { gateway in
      let code = try await gateway.connect().closeCode()
      #expect(code == 1008)
    }
  }

  @Test("a domain's secret opens the door for that domain only, and its names are limited to the suffixes")
  func domain() async throws {
    try await TestGateway.run { gateway in
      _ = try await gateway.logins.call(
        Logins.Add.self,
        .init(name: "tenant", scope: .domain, kind: .device, domain: "Tenant.example", nameSuffixes: ["tenant.example"], secret: "t"))
      let device = try await gateway.device("a", secret: "t", domain: "tenant.example")
      #expect(try await gateway.connect().logIn(sip: "b", secret: "t", domain: "other.example") == .refused(.loginRefused, retryAfterSec: nil))
      try await eventually("the device is registered") { gateway.scheduler.with { !$0.registrations.isEmpty } }
      // Whoever leaves before its turn is not registered.
      try await device.send(KeepAlive().text)
      let identity = gateway.scheduler.with { $0.registrations.first?.identity }
      #expect(identity?.scope == "domain:tenant.example")
      #expect(identity?.nameSuffixes == [DNSName("tenant.example")].compactMap { $0 })
    }
  }

  @Test("a new secret and the old one hold together until the date, or only the new one without a date")
  func rotation() async throws {
    try await TestGateway.run { gateway in
      let overlap = Instant(milliseconds: WallClock.system.now().milliseconds + 3_600_000)
      _ = try await gateway.logins.call(Logins.Rotate.self, .init(name: "device", secret: "second", overlapUntil: overlap))
      _ = try await gateway.device("a", secret: TestGateway.deviceSecret)
      let closed = try await gateway.device("b", secret: "second")
      let third = try await gateway.logins.call(Logins.Rotate.self, .init(name: "device", secret: "third"))
      #expect(third.login.secrets.count == 1)
      #expect(try await closed.closeCode() == 1008)
      _ = try await gateway.device("c", secret: "third")
      #expect(try await gateway.connect().logIn(sip: "d", secret: "second") == .refused(.loginRefused, retryAfterSec: nil))
    }
  }

  @Test("the end of an overlap closes what the old secret has opened, and nothing else")
  func overlapEnds() async throws {
    try await TestGateway.run { gateway in
      let old = try await gateway.device("a")
      let end = Instant(milliseconds: WallClock.system.now().milliseconds + 300)
      let rotation = Logins.Rotate.Parameters(name: "device", secret: "second", overlapUntil: end)
      _ = try await gateway.logins.call(Logins.Rotate.self, rotation)
      let new = try await gateway.device("b", secret: "second")
      #expect(try await old.closeCode() == 1008)
      #expect(WallClock.system.now() >= end)
      try await new.send(KeepAlive().text)
      #expect(try await new.answer(KeepAlive.name).name == KeepAlive.name)
    }
  }

  @Test("an overlap that was under way when the gateway ended still ends")
  func overlapEndsAfterRestart() async throws {
    let folder = try TemporaryFolder()
    let end = Instant(milliseconds: WallClock.system.now().milliseconds + 2_000)
    try await TestGateway.run(in: folder) { gateway in
      let rotation = Logins.Rotate.Parameters(name: "device", secret: "second", overlapUntil: end)
      _ = try await gateway.logins.call(Logins.Rotate.self, rotation)
    }
    try await TestGateway.run(in: folder) { gateway in
      let old = try await gateway.connect()
      // On a machine that took two seconds to come here it is refused at once, which is as well.
      _ = try await old.logIn(sip: "a", secret: TestGateway.deviceSecret)
      #expect(try await old.closeCode() == 1008)
      #expect(WallClock.system.now() >= end)
    }
  }

  @Test("removing a login closes its connections")
  func removal() async throws {
    try await TestGateway.run { gateway in
      _ = try await gateway.logins.call(Logins.Add.self, .init(name: "one", scope: .device, kind: .device, nameSuffixes: [], secret: "one's"))
      let device = try await gateway.device("a", secret: "one's")
      let other = try await gateway.device("b")
      _ = try await gateway.logins.call(Logins.Remove.self, .init(name: "one"))
      #expect(try await device.closeCode() == 1008)
      try await other.send(KeepAlive().text)
      #expect(try await other.answer(KeepAlive.name).name == KeepAlive.name)
    }
  }

  @Test("an administrator's login may look, but is no device")
  func admin() async throws {
    try await TestGateway.run { gateway in
      let admin = try await gateway.device("admin", secret: TestGateway.adminSecret)
      try await admin.send(#"{"mt":"AppInfo","app":"letsencrypt","src":"1"}"#)
      #expect(try await admin.message(AppInfoResult.self).message.app == "letsencrypt")
      try await admin.send(#"{"mt":"RequestCertificate","csr":"x","src":"2"}"#)
      #expect(Refusal(try await admin.answer(RequestCertificate.name.result))?.error == .notAllowed)
    }
  }

  @Test("AppCheckLogin says whether a device's secret is right to a device that is logged in, and nothing about those of administrators")
  func checkLogin() async throws {
    try await TestGateway.run { gateway in
      let device = try await gateway.device("a")
      let challenge = try #require(Challenge("1234"))
      for (secret, isRight) in [(TestGateway.deviceSecret, true), (TestGateway.adminSecret, false), ("wrong", false)] {
        try await device.send(AppCheckLogin(app: "admin", domain: "", challenge: challenge, password: secret).text)
        #expect(try await device.message(AppCheckLoginResult.self).message.ok == isRight)
      }
    }
  }

  @Test("the logins survive a restart, and are not readable on disk")
  func restart() async throws {
    try await TestGateway.run { gateway in
      _ = try await gateway.logins.call(Logins.Add.self, .init(name: "kept", scope: .instance, kind: .device, nameSuffixes: [], secret: "k"))
      let folder = gateway.folder
      await gateway.shutDown()
      let stored = try #require(try AtomicFile(folder.url("state/logins.sealed")).read(limit: 1 << 20))
      #expect(String(decoding: stored, as: UTF8.self).contains("kept") == false)
      let environment = ServiceEnvironment(name: "device-gateway", variables: ["STATE_DIRECTORY": folder.url("state").path()])
      let again = try LoginStore(in: environment)
      #expect(again.views.map(\.name) == ["admin", "device", "kept"])
    }
  }

  @Test(
    "what administrators may not have is refused by name",
    arguments: [
      (Logins.Refused.Word.exists, Logins.Add.Parameters(name: "device", scope: .instance, kind: .device, nameSuffixes: [], secret: "x")),
      (.badName, .init(name: "not a name", scope: .instance, kind: .device, nameSuffixes: [], secret: "x")),
      (.badSecret, .init(name: "x", scope: .instance, kind: .device, nameSuffixes: [], secret: "")),
      (.badSecret, .init(name: "x", scope: .instance, kind: .device, nameSuffixes: [], secret: TestGateway.deviceSecret)),
      (.badDomain, .init(name: "x", scope: .domain, kind: .device, nameSuffixes: [], secret: "x")),
      (.badSuffix, .init(name: "x", scope: .instance, kind: .device, nameSuffixes: ["*.example.com"], secret: "x")),
    ])
  func refusals(error: Logins.Refused.Word, parameters: Logins.Add.Parameters) async throws {
    try await TestGateway.run(withScheduler: false) { gateway in
      let refused = await #expect(throws: Logins.Refused.self) { try await gateway.logins.call(Logins.Add.self, parameters) }
      #expect(refused?.error == error)
    }
  }
}

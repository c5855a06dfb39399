import AppWebsocket
import FoundationEssentials
import PKI
import ResponderAPI
import SchedulerAPI
import Testing

@testable import DeviceGateway

@Suite("Which devices answer a challenge")
struct ChallengeTableTests {
  @Test("a device that serves its own challenges is asked, and the answer is in place when it has confirmed")
  func confirmed() throws {
    var table = try TestTable()
    table.connect("pbx", on: "1", challenge: .push)
    #expect(table.publish("a.example", for: "pbx") == [.added("1")])
    #expect(table.confirm(by: "1") == [.inPlace])
    #expect(table.withdraw() == [.removed("1")])
  }

  @Test("a device that the network leads the CA past is not asked, and neither is a stranger's")
  func notMine() throws {
    var table = try TestTable()
    table.connect("pbx", on: "1", challenge: .external)
    table.connect("other", on: "2", challenge: .push)
    #expect(table.publish("a.example", for: "pbx") == [.notMine])
    #expect(table.publish("b.example", for: "unknown", token: "b") == [.notMine])
    #expect(table.publish("c.example", for: nil, token: "c") == [.notMine])
  }

  @Test("a device that cannot serve it says why, and the CA is not to be asked")
  func refused() throws {
    var table = try TestTable()
    table.connect("pbx", on: "1", challenge: .push)
    _ = table.publish("a.example", for: "pbx")
    let seen = table.answer(.init(token: try token("t"), error: .internalError, errorText: "port 80 is\u{7} taken"), by: "1")
    #expect(seen == [.failed("Device pbx cannot answer for a.example (port 80 is taken); mend that at the device.")])
  }

  @Test("a device that does not confirm in time is named")
  func silent() throws {
    var table = try TestTable()
    table.connect("pbx", on: "1", challenge: .push)
    _ = table.publish("a.example", for: "pbx")
    let reason = try #require(table.timeOver().failure)
    #expect(reason.hasPrefix("Device pbx did not confirm within 8 s that it answers for a.example; "))
    #expect(table.confirm(by: "1").isEmpty, "nobody waits any more")
  }

  @Test("a device that has been away for long is named at once, with what to do", arguments: [RegisterDevice.ChallengeMode.push, .lookup])
  func absent(mode: RegisterDevice.ChallengeMode) throws {
    var table = try TestTable()
    table.connect("pbx", on: "1", challenge: mode)
    table.leave("1")
    table.now = table.now + .seconds(60)
    let reason = try #require(table.publish("a.example", for: "pbx").failure)
    #expect(reason.hasPrefix("Device pbx ") && reason.hasSuffix("is not connected; connect it, or have it register with challenge external."))
  }

  @Test("a device that has just gone is waited for, told again when it is back, and has to confirm again")
  func reconnects() throws {
    var table = try TestTable()
    table.connect("pbx", on: "1", challenge: .push)
    _ = table.publish("a.example", for: "pbx")
    table.leave("1")
    #expect(table.confirm(by: "1").isEmpty, "what a connection says that has ended does not count")
    #expect(table.connect("pbx", on: "2", challenge: .push) == [.lookAgain, .added("2")])
    #expect(table.confirm(by: "2") == [.inPlace])
  }

  @Test("a device that confirmed and reconnects in the middle gets its live challenges again")
  func reconnectsLater() throws {
    var table = try TestTable()
    table.connect("pbx", on: "1", challenge: .push)
    _ = table.publish("a.example", for: "pbx")
    _ = table.confirm(by: "1")
    table.leave("1")
    #expect(table.connect("pbx", on: "2", challenge: .push) == [.lookAgain, .added("2")])
    #expect(table.withdraw() == [.removed("2")])
  }

  @Test("a gateway that has just begun knows from before who answers itself, and waits for those to come back")
  func restarted() throws {
    var before = try TestTable()
    before.connect("pbx", on: "1", challenge: .push)
    before.connect("host", on: "2", challenge: .external)
    #expect(before.table.lastingRoles.count == 1)
    var table = try TestTable(remembering: before.table.lastingRoles)
    #expect(table.publish("a.example", for: "pbx").isEmpty)
    #expect(table.publish("b.example", for: "host", token: "b") == [.notMine])
    #expect(table.connect("pbx", on: "9", challenge: .push) == [.lookAgain, .added("9")])
    #expect(table.confirm(by: "9") == [.inPlace])
  }

  @Test("a device that has changed its mind is not waited for any more")
  func changedMind() throws {
    var table = try TestTable()
    table.connect("pbx", on: "1", challenge: .push)
    table.leave("1")
    #expect(table.publish("a.example", for: "pbx").isEmpty)
    #expect(table.connect("pbx", on: "2", challenge: .external) == [.lookAgain, .notMine])
  }

  @Test("reverse proxies of the scope that hold the name and take pushes are told, no others; one that confirms is enough")
  func proxies() throws {
    var table = try TestTable()
    table.connect("pbx", on: "1", challenge: .external)
    table.connect("rp", on: "2", challenge: .push, proxyFor: ["A.Example.", "nonsense name"])
    table.connect("rp2", on: "3", challenge: .push, proxyFor: ["*.example"])
    table.connect("elsewhere", on: "4", challenge: .push, proxyFor: ["other.example.net"])
    table.connect("foreign", on: "5", scope: "domain:other", challenge: .push, proxyFor: ["a.example"])
    table.connect("asks", on: "6", challenge: .lookup, proxyFor: ["a.example"])
    #expect(Set(table.publish("a.example", for: "pbx")) == [.added("2"), .added("3")])
    #expect(table.confirm(by: "4").isEmpty)
    #expect(table.answer(.init(token: try token("t"), error: .busy), by: "3").isEmpty, "the other one is still waited for")
    #expect(table.confirm(by: "2") == [.inPlace])
    #expect(table.withdraw() == [.removed("2")])
  }

  @Test("where no proxy that holds the name can answer, the reasons are told and the CA is not asked")
  func allProxiesFail() throws {
    var table = try TestTable()
    table.connect("pbx", on: "1", challenge: .external)
    table.connect("rp", on: "2", challenge: .push, proxyFor: ["a.example"])
    _ = table.publish("a.example", for: "pbx")
    let seen = table.answer(.init(token: try token("t"), error: .busy, errorText: "full"), by: "2")
    #expect(seen == [.failed("No reverse proxy that holds a.example can answer for it (device rp: full); mend that at the proxy.")])
  }

  @Test("a device that serves its own has to confirm, even if a proxy in front of it has")
  func both() throws {
    var table = try TestTable()
    table.connect("pbx", on: "1", challenge: .push)
    table.connect("rp", on: "2", challenge: .push, proxyFor: ["a.example"])
    #expect(Set(table.publish("a.example", for: "pbx")) == [.added("1"), .added("2")])
    #expect(table.confirm(by: "2").isEmpty)
    #expect(table.confirm(by: "1") == [.inPlace])
  }

  @Test("a proxy that comes in the middle is told what is live")
  func lateProxy() throws {
    var table = try TestTable()
    table.connect("pbx", on: "1", challenge: .external)
    #expect(table.publish("a.example", for: "pbx") == [.notMine])
    #expect(table.connect("rp", on: "2", challenge: .push, proxyFor: ["a.example"]) == [.lookAgain, .added("2")])
  }

  @Test("before an order it is foreseen that a device which answers itself is away; one that has just gone is not missed yet")
  func foreseen() throws {
    var table = try TestTable()
    table.connect("pbx", on: "1", challenge: .push)
    #expect(table.obstacles(to: ["a.example"], for: "pbx").isEmpty)
    table.leave("1")
    #expect(table.obstacles(to: ["a.example"], for: "pbx").isEmpty)
    table.now = table.now + .seconds(11)
    #expect(
      table.obstacles(to: ["a.example"], for: "pbx") == [
        "a.example: Device pbx answers challenges for a.example itself and is not connected; connect it, or have it register with challenge external."
      ])
    #expect(table.obstacles(to: ["a.example"], for: "other").isEmpty)
  }

  @Test(
    "a reverse proxy that is away is waited for by those behind it, whose names it holds, for a week",
    arguments: [RegisterDevice.ChallengeMode.push, .lookup])
  func absentProxy(mode: RegisterDevice.ChallengeMode) throws {
    var table = try TestTable()
    #expect(table.connect("rp", on: "1", challenge: mode, proxyFor: ["a.example", "b.example"]) == [.lookAgain])
    table.connect("pbx", on: "2", challenge: .external)
    #expect(table.obstacles(to: ["a.example", "c.example"], for: "pbx").isEmpty)
    table.leave("1")
    table.now = table.now + .seconds(11)
    #expect(
      table.obstacles(to: ["a.example", "c.example"], for: "pbx") == [
        "a.example: Reverse proxy rp, which answers for a.example, is not connected; connect it, or have it register without that name."
      ])
    #expect(table.publish("a.example", for: "pbx").failure?.hasPrefix("Reverse proxy rp, which answers for a.example,") == true)
    table.connect("rp2", on: "3", challenge: mode, proxyFor: ["a.example"])
    #expect(table.obstacles(to: ["a.example"], for: "pbx").isEmpty, "the other one is there")
    #expect(!table.obstacles(to: ["b.example"], for: "pbx").isEmpty)
    table.now = table.now + .seconds(8 * 86_400)
    #expect(table.obstacles(to: ["b.example"], for: "pbx").isEmpty, "it may be gone for good")
    #expect(table.connect("rp", on: "4", challenge: mode, proxyFor: ["b.example"]) == [.lookAgain])
    #expect(table.connect("rp", on: "5", challenge: mode, proxyFor: ["b.example"]).isEmpty, "nothing is new")
    #expect(table.connect("rp", on: "5", challenge: .external) == [.lookAgain])
  }

  @Test("a gateway that has just begun knows from before which reverse proxies are missing, and who stands behind them")
  func proxyAfterRestart() throws {
    var before = try TestTable()
    before.connect("rp", on: "1", challenge: .push, proxyFor: ["a.example"])
    before.connect("pbx", on: "2", challenge: .external)
    before.connect("elsewhere", on: "3", scope: "domain:other", challenge: .external)
    #expect(before.table.lastingRoles.count == 2)
    let stored = try JSONEncoder().encode(Dictionary(uniqueKeysWithValues: before.table.lastingRoles.map { ($0.key.rawValue, $0.value) }))
    let roles = try JSONDecoder().decode([String: ChallengeRole].self, from: stored)
    var table = try TestTable(remembering: Dictionary(uniqueKeysWithValues: roles.map { (DeviceID(rawValue: $0.key), $0.value) }))
    #expect(table.publish("a.example", for: "pbx").isEmpty, "it may be back in a moment")
    table.now = table.now + .seconds(11)
    #expect(table.obstacles(to: ["a.example"], for: "pbx").count == 1)
  }

  @Test("more names of reverse proxies than can be kept are not waited for")
  func manyHeldNames() throws {
    var limits = ChallengeLimits()
    limits.heldNames = 3
    var table = try TestTable(limits: limits)
    table.connect("rp", on: "1", challenge: .push, proxyFor: ["a.example", "b.example"])
    table.connect("rp2", on: "2", challenge: .push, proxyFor: ["c.example", "d.example"])
    table.connect("pbx", on: "3", challenge: .external)
    #expect(table.publish("c.example", for: "pbx", token: "c") == [.added("2")], "while it is there it is told all the same")
    for session in ["1", "2"] { table.leave(session) }
    table.now = table.now + .seconds(11)
    #expect(table.obstacles(to: ["a.example", "c.example"], for: "pbx").count == 1)
  }

  @Test("a token that several orders want is served until the last of them lets go")
  func leases() throws {
    var table = try TestTable()
    table.connect("pbx", on: "1", challenge: .push)
    _ = table.publish("a.example", for: "pbx", order: "x")
    #expect(table.publish("a.example", for: "pbx", order: "y") == [.added("1")])
    #expect(table.confirm(by: "1") == [.inPlace, .inPlace])
    #expect(table.withdraw(order: "x").isEmpty)
    #expect(table.withdraw(order: "x").isEmpty)
    #expect(table.withdraw(order: "y") == [.removed("1")])
  }

  @Test("a live token is nobody else's")
  func otherName() throws {
    var table = try TestTable()
    table.connect("pbx", on: "1", challenge: .push)
    _ = table.publish("a.example", for: "pbx")
    let reason = try #require(table.publish("b.example", for: "pbx", order: "other").failure)
    #expect(reason.hasPrefix("Token t is live for another name"))
  }

  @Test("what nobody withdraws ends by itself, and makes room")
  func expiry() throws {
    var limits = ChallengeLimits()
    limits.leases = 1
    var table = try TestTable(limits: limits)
    table.connect("pbx", on: "1", challenge: .push)
    _ = table.publish("a.example", for: "pbx")
    #expect(table.publish("b.example", for: "pbx", token: "b") == [.failedUnrequired("There are 1 leases, and no room for b.example.")])
    table.now = table.now + .seconds(301)
    // Nobody has confirmed it, so that the call that still waits ends with it.
    #expect(
      table.publish("b.example", for: "pbx", token: "b")
        == [.failedUnrequired("The answer for a.example was withdrawn meanwhile."), .removed("1"), .added("1")])
    table.now = table.now + .seconds(301)
    #expect(table.sweep() == [.failedUnrequired("The answer for b.example was withdrawn meanwhile."), .removed("1")])
  }

  @Test("of very many devices those that are away are forgotten first")
  func manyDevices() throws {
    var limits = ChallengeLimits()
    limits.roles = 2
    var table = try TestTable(limits: limits)
    table.connect("a", on: "1", challenge: .push)
    table.connect("b", on: "2", challenge: .push)
    table.leave("1")
    table.connect("c", on: "3", challenge: .push)
    #expect(Set(table.table.lastingRoles.values.map(\.label)) == ["b", "c"])
  }

  @Test("a connection looks up in bursts, and then so often a second")
  func allowance() {
    var allowance = LookupAllowance()
    let now = ContinuousClock.now
    #expect((0..<200).count { _ in allowance.take(at: now) } == 100)
    #expect((0..<200).count { _ in allowance.take(at: now + .seconds(1)) } == 50)
    #expect((0..<200).count { _ in allowance.take(at: now + .seconds(60)) } == 100)
  }
}

extension [TestTable.Seen] {
  /// The one refusal.
  fileprivate var failure: String? {
    switch (count, first) {
    case (1, .failed(let reason)), (1, .failedUnrequired(let reason)): reason
    default: nil
    }
  }
}

private func token(_ text: String) throws -> ChallengeToken { try #require(ChallengeToken(text)) }

/// A table with devices whose sessions are named by numbers, and what it wants done.
private struct TestTable {
  enum Seen: Hashable {
    case added(String), removed(String)
    case inPlace, notMine
    case failed(String), failedUnrequired(String)
    case lookAgain
  }

  var table: ChallengeTable<String>
  var now = Instant(milliseconds: 1_800_000_000_000)
  private var calls: [(call: ChallengeCall, token: ChallengeToken)] = []

  init(limits: ChallengeLimits = ChallengeLimits(), remembering roles: [DeviceID: ChallengeRole] = [:]) throws {
    table = ChallengeTable(limits: limits, remembering: roles, now: now)
  }

  @discardableResult
  mutating func connect(
    _ device: String, on session: String, scope: String = "instance", challenge: RegisterDevice.ChallengeMode, proxyFor names: [String]? = nil
  ) -> [Seen] {
    var description = RegisterDevice()
    description.challenge = challenge
    description.dnsNames = names
    description.roles = names == nil ? [] : [.reverseProxy]
    let identity = DeviceIdentity(scope: scope, sip: device)
    return seen(table.met(DeviceID(rawValue: device), on: session, identity, saying: description, now: now))
  }

  mutating func leave(_ session: String) { table.left(session, now: now) }

  func obstacles(to names: [String], for device: String) -> [String] {
    table.obstacles(to: names.compactMap(DNSName.init), of: DeviceID(rawValue: device), now: now).map { "\($0.name): \($0.reason)" }
  }

  mutating func publish(_ name: String, for device: String?, order: String = "order", token: String = "t") -> [Seen] {
    guard let name = DNSName(name), let token = ChallengeToken(token) else { return [] }
    let call = ChallengeCall(number: UInt64(calls.count))
    calls.append((call, token))
    let wish = Responder.Publish.Parameters(
      order: order, name: name, token: token, keyAuthorization: KeyAuthorization(token: token, thumbprint: "thumbprint"), device: device,
      expires: now + .seconds(300))
    return seen(table.publish(wish, as: call, now: now))
  }

  mutating func confirm(by session: String) -> [Seen] {
    ChallengeToken("t").map { answer(ChallengeAddedResult(token: $0), by: session) } ?? []
  }

  mutating func answer(_ result: ChallengeAddedResult, by session: String) -> [Seen] { seen(table.answered(result, by: session, now: now)) }

  mutating func withdraw(order: String = "order") -> [Seen] { ChallengeToken("t").map { seen(table.withdraw(order: order, token: $0)) } ?? [] }

  mutating func timeOver() -> [Seen] { calls.last.map { seen(table.timeOver($0.call, about: $0.token, now: now)) } ?? [] }

  mutating func sweep() -> [Seen] { seen(table.sweep(now: now)) }

  private func seen(_ actions: [ChallengeTable<String>.Action]) -> [Seen] {
    actions.compactMap { action in
      switch action {
      case .add(_, let session): .added(session)
      case .remove(_, let session): .removed(session)
      case .answer(_, .success(let reply)): reply.outcome == .inPlace ? .inPlace : .notMine
      case .answer(_, .failure(let fault)): fault.required ? .failed(fault.reason) : .failedUnrequired(fault.reason)
      case .keepRoles: nil
      case .lookAgain: .lookAgain
      }
    }
  }
}

import AppWebsocket
import DeviceGatewayAPI
import NIOCore
import NIOHTTP1
import PKI
import SchedulerAPI
import Testing

@testable import DeviceGateway

@Suite("The rules of the door")
struct RulesTests {
  @Test(
    "plain text is for this machine and trusted proxies only, and only below the path is there anything",
    arguments: [
      ("127.0.0.1", false, "/connector/x", UpgradeVerdict.webSocket), ("192.0.2.7", false, "/connector/x", .insecure),
      ("192.0.2.7", true, "/connector/x", .webSocket), ("192.0.2.7", true, "/", .notFound),
      ("192.0.2.7", false, "/connector/connector.pem", .insecure), ("192.0.2.80", false, "/connector/x", .webSocket),
      ("192.0.2.80", false, "/", .notFound),
    ])
  func upgrade(address: String, isSecure: Bool, target: String, expected: UpgradeVerdict) throws {
    var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: target)
    if !target.hasSuffix(".pem") {
      head.headers = [
        "Host": "connector.example", "Upgrade": "WebSocket", "Connection": "keep-alive, Upgrade", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      ]
    }
    let peer = PeerAddress(try SocketAddress(ipAddress: address, port: 1))
    #expect(UpgradeVerdict(head, from: peer, isSecure: isSecure, isProxy: address == "192.0.2.80", path: .standard) == expected)
  }

  @Test("a path is normalised, and its domain is the segment before the last", arguments: [("/example.com/le/", "example.com"), ("/connector", nil)])
  func path(text: String, domain: String?) throws {
    let path = try #require(InstancePath(text))
    #expect(path.domain == domain)
    #expect(path.remainder(of: "\(path)/a?b") == "a")
    #expect(path.remainder(of: "\(path)") == "")
  }

  @Test("what is no path of an instance is none", arguments: ["", "/", "connector", "/a/../b", "/a?b", "/a b"])
  func noPath(text: String) {
    #expect(InstancePath(text) == nil)
  }

  @Test("one network has a bound of its own, but not this machine, behind which a proxy brings a fleet")
  func admission() throws {
    var limits = DoorLimits()
    (limits.strangersPerNetwork, limits.strangers) = (1, 3)
    var admission = Admission(limits: limits)
    let neighbour = PeerAddress(try SocketAddress(ipAddress: "192.0.2.7", port: 1)).network
    let here = PeerAddress(try SocketAddress(ipAddress: "127.0.0.1", port: 1)).network
    let ids = (0..<10).map { ConnectionID(number: $0) }
    var answers = ids[0...1].map { admission.admit($0, from: neighbour, isShared: false) }
    #expect(answers == [.admitted, .admittedFor(ids[0])])
    admission.loggedIn(ids[1], from: neighbour)
    answers = ids[2...5].map { admission.admit($0, from: here, isShared: true) }
    #expect(answers == [.admitted, .admitted, .admitted, .admittedFor(ids[2])])
    admission.left(ids[3], from: here, isLoggedIn: false)
    admission.left(ids[1], from: neighbour, isLoggedIn: true)
    #expect(admission.admit(ids[6], from: neighbour, isShared: false) == .admitted)
    #expect(admission.connections == 3)
  }

  @Test("where too many stand at the door, one of the largest crowd goes, and none of those who have logged in")
  func crowd() throws {
    var limits = DoorLimits()
    (limits.strangersPerNetwork, limits.strangers, limits.connections) = (3, 4, 5)
    var admission = Admission(limits: limits)
    let networks = try (1...3).map { PeerAddress(try SocketAddress(ipAddress: "192.0.2.\($0)", port: 1)).network }
    let ids = (0..<20).map { ConnectionID(number: $0) }
    for id in ids[0...2] { #expect(admission.admit(id, from: networks[0], isShared: false) == .admitted) }
    #expect(admission.admit(ids[3], from: networks[1], isShared: false) == .admitted)
    #expect(admission.admit(ids[4], from: networks[2], isShared: false) == .admittedFor(ids[0]))
    for (id, network) in [(ids[1], networks[0]), (ids[2], networks[0]), (ids[3], networks[1]), (ids[4], networks[2])] {
      admission.loggedIn(id, from: network)
    }
    #expect(admission.admit(ids[5], from: networks[0], isShared: false) == .admitted)
    #expect(admission.admit(ids[6], from: networks[1], isShared: false) == .admittedFor(ids[5]))
    admission.loggedIn(ids[6], from: networks[1])
    #expect(admission.admit(ids[7], from: networks[1], isShared: false) == .refused)
    #expect(admission.connections == 5)
  }

  @Test("a change that is asked for twice is made once: the second time it is what it is already")
  func twice() throws {
    var book = LoginBook()
    let times = [10, 20, 30].map { Instant(milliseconds: $0) }
    let added = try book.add(try login("a"))
    #expect(try book.add(try login("a")).secrets.map(\.createdAt) == added.secrets.map(\.createdAt))
    #expect(throws: Logins.Refused.self) { try book.add(try login("a", kind: .admin)) }
    let rotated = try book.rotate(added.name, to: try secret("second"), overlapUntil: times[2], at: times[0])
    let again = try book.rotate(added.name, to: try secret("second"), overlapUntil: times[2], at: times[1])
    #expect(again.secrets.map(\.createdAt) == rotated.secrets.map(\.createdAt))
    #expect(again.secrets.map(\.validUntil) == [nil, times[2]])
    _ = try book.add(try login("b"))
    for _ in 1...2 { try book.remove(added.name) }
    #expect(book.sorted.map(\.name.value) == ["b"])
  }

  @Test("there are so many logins and no more, and that is told from a name that is taken")
  func capacity() throws {
    var book = LoginBook()
    for number in 0..<LoginBook.capacity { _ = try book.add(try login("login\(number)")) }
    for (name, error) in [("more", Logins.Refused.Word.tooMany), ("login7", .exists)] {
      let refused = #expect(throws: Logins.Refused.self) { try book.add(try login(name, kind: .admin)) }
      #expect(refused?.error == error)
    }
  }

  @Test("the last login of a kind stays")
  func lastLogin() throws {
    var book = LoginBook()
    _ = try book.add(try login("only"))
    _ = try book.add(try login("admin", kind: .admin))
    let name = try #require(LoginName("only"))
    let refused = #expect(throws: Logins.Refused.self) { try book.remove(name) }
    #expect(refused?.error == .lastLogin)
    _ = try book.add(try login("other"))
    try book.remove(name)
    #expect(book.sorted.map(\.name.value) == ["admin", "other"])
  }

  @Test("an old secret ends at its date, and a later rotation does not lengthen it")
  func overlap() throws {
    var book = LoginBook()
    _ = try book.add(try login("a"))
    let name = try #require(LoginName("a"))
    let times = [10, 20, 30].map { Instant(milliseconds: $0) }
    _ = try book.rotate(name, to: try secret("second"), overlapUntil: times[1], at: times[0])
    let rotated = try book.rotate(name, to: try secret("third"), overlapUntil: times[2], at: times[0])
    #expect(rotated.secrets.map(\.secret.value) == ["third", "second", "secret of a"])
    #expect(rotated.secrets.map(\.validUntil) == [nil, times[2], times[1]])
    #expect(rotated.secrets.filter { $0.isValid(at: times[1]) }.count == 2)
  }

  @Test("a secret appears in no description")
  func secrecy() throws {
    let secret = try secret("hidden-thing")
    #expect(!"\(secret) \(String(reflecting: secret))".contains("hidden"))
  }

  @Test("every state of a request has its word in the device protocol", arguments: RequestState.allCases)
  func states(state: RequestState) throws {
    let report = try #require(RequestReport(RequestView(id: .init(rawValue: "r"), slot: "default", state: state)))
    #expect(report.submitted.state.rawValue == state.rawValue)
  }

  @Test(
    "a fault between connector and CA is told to the device without its cause, which may name a key or a file",
    arguments: ["accountProblem", "internalError"])
  func innerMatters(error: String) throws {
    let failure = RequestFailure(error: error, text: "pkcs11:object=account: /var/lib/secret", final: false)
    let view = RequestView(id: .init(rawValue: "r"), slot: "default", state: .failed, failure: failure)
    guard case .failed(let failed)? = RequestReport(view)?.outcome else { throw Missing() }
    #expect(failed.error.rawValue == error && failed.errorText.contains("administrator"))
    #expect(!failed.errorText.contains("pkcs11") && !failed.errorText.contains("/var"))
  }

  private struct Missing: Error {}

  @Test("what is told about a device before its registration is answered waits for it")
  func early() {
    var table = DeviceTable<Int>()
    let device = DeviceID(rawValue: "d")
    table.entered(1)
    table.registrationBegan()
    #expect(table.session(of: device, for: .request(.ready("r"))) == nil)
    let (older, early) = table.registered(1, as: device)
    #expect(older == nil && early == [.request(.ready("r"))])
    table.registrationEnded()
    #expect(table.session(of: device, for: .request(.ready("r"))) == 1)
  }

  @Test("of the states of a request that come before the registration the newest counts, and of too many items the newest")
  func newestEarly() {
    var table = DeviceTable<Int>()
    let device = DeviceID(rawValue: "d")
    table.entered(1)
    table.registrationBegan()
    for number in 0...DeviceTable<Int>.earlyLimit { _ = table.session(of: device, for: .request(.ready("\(number)"))) }
    let newest = RequestView(id: .init(rawValue: "7"), slot: "default", state: .failed)
    _ = table.session(of: device, for: .request(newest))
    let early = table.registered(1, as: device).early
    #expect(early.count == DeviceTable<Int>.earlyLimit)
    #expect(early.first == .request(.ready("1")) && early.last == .request(newest))
  }

  @Test("the connection that logged in last is the device's, whichever the scheduler answers first")
  func newest() {
    var table = DeviceTable<Int>()
    let device = DeviceID(rawValue: "d")
    for session in [1, 2] { table.entered(session) }
    #expect(table.registered(2, as: device).older == nil)
    #expect(table.registered(1, as: device).older == 1)
    #expect(table.session(of: device) == 2)
  }

  @Test("a connection that ends does not end the newer one of its device")
  func ended() {
    var table = DeviceTable<Int>()
    let device = DeviceID(rawValue: "d")
    for session in [1, 2] {
      table.entered(session)
      #expect(table.registered(session, as: device).older == (session == 2 ? 1 : nil))
    }
    table.left(1)
    #expect(table.session(of: device) == 2)
    table.left(2)
    #expect(table.session(of: device) == nil)
  }

  private func secret(_ text: String) throws -> LoginSecret { try #require(LoginSecret(text)) }

  private func login(_ name: String, kind: Logins.Kind = .device) throws -> StoredLogin {
    StoredLogin(
      name: try #require(LoginName(name)), scope: .instance, kind: kind, nameSuffixes: [],
      secrets: [.init(secret: try secret("secret of \(name)"), createdAt: .earliest)])
  }
}

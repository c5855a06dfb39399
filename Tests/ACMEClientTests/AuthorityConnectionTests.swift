import FoundationEssentials
import Logging
import NIOHTTP1
import PKI
import Testing

@testable import ACMEClient

@Suite("Signed requests")
struct AuthorityConnectionTests {
  @Test("the nonce comes from newNonce first, then from each reply")
  func nonces() async throws {
    let ca = ScriptedTransport([.ok(nonce: "n1"), .ok(nonce: "n2"), .ok(nonce: "n3")])
    let connection = ca.connection
    for path in ["order/1", "order/2"] { _ = try await post(connection, path) }
    #expect(ca.requests.map(\.method) == [.HEAD, .POST, .POST])
    #expect(try ca.header(1)["nonce"] == "n1")
    #expect(try ca.header(2)["nonce"] == "n2")
  }

  @Test("a refused nonce is answered with the nonce that came with the refusal, over the same payload")
  func badNonce() async throws {
    let ca = ScriptedTransport([.ok(nonce: "n1"), .problem("badNonce", nonce: "good"), .ok(nonce: "n3")])
    _ = try await post(ca.connection, "order/1")
    #expect(try ca.header(2)["nonce"] == "good")
    #expect(try ca.header(1)["url"] == "https://ca.example/order/1")
  }

  @Test("a CA that refuses every nonce is given up on")
  func badNonceForEver() async throws {
    let ca = ScriptedTransport([.ok(nonce: "n")] + (0..<50).map { .problem("badNonce", nonce: "m\($0)") })
    await #expect(throws: ACMEError.self) { try await post(ca.connection, "order/1") }
    #expect(ca.requests.count == 1 + AuthorityConnection.mostNonces)
  }

  @Test("the nonce of a refusal is kept for the next request")
  func nonceOfRefusal() async throws {
    let ca = ScriptedTransport([.ok(nonce: "n1"), .problem("malformed", nonce: "n2"), .ok(nonce: "n3")])
    let connection = ca.connection
    await #expect(throws: ACMEError.self) { try await post(connection, "order/1") }
    _ = try await post(connection, "order/2")
    #expect(ca.requests.map(\.method) == [.HEAD, .POST, .POST])
    #expect(try ca.header(2)["nonce"] == "n2")
  }

  @Test("POST-as-GET has an empty payload, and every request says what it is")
  func postAsGet() async throws {
    let ca = ScriptedTransport([.ok(nonce: "n1"), .ok(nonce: "n2")])
    _ = try await post(ca.connection, "order/1")
    let signed = try JSONDecoder().decode([String: String].self, from: Data(ca.requests[1].body))
    #expect(signed["payload"] == "" && Set(signed.keys) == ["protected", "payload", "signature"])
    #expect(ca.requests[1].headers["content-type"] == ["application/jose+json"])
  }

  @Test("the CA's clock is that of its last answer which shows one, and goes on")
  func time() async throws {
    func answer(_ date: String?) -> Response { Response(status: 200, headers: date.map { ["date": $0] } ?? [:], body: []) }
    let connection = ScriptedTransport([answer(nil), answer("Sun, 06 Nov 1994 08:49:17 GMT"), answer(nil)]).connection
    func ask() async throws { _ = try await connection.get(.renewalInfo, CA.url("info"), limit: 100) }
    try await ask()
    #expect(connection.time.now == nil)
    for _ in 1...2 { try await ask() }
    let (shown, first) = (try #require(HTTPDate.parse("Sun, 06 Nov 1994 08:49:17 GMT")), try #require(connection.time.now))
    #expect(shown <= first && first < shown + .seconds(120))
    #expect(try first <= #require(connection.time.now))
  }

  @Test("a directory is found at its URL or below it")
  func discovery() async throws {
    let directory = #"{"newNonce":"https://ca.example/n","newAccount":"https://ca.example/a","newOrder":"https://ca.example/o"}"#
    for answers in [
      [Response.ok(nonce: nil, body: directory)], [.ok(nonce: nil, body: "<html>"), .ok(nonce: nil, body: directory)],
      [Response(status: 404, headers: [:], body: []), .ok(nonce: nil, body: directory)],
    ] {
      let ca = ScriptedTransport(answers)
      let (url, found, _) = try await Directories.discover(CA.url("acme"), over: ca, logger: Logger(label: "test"), now: .earliest)
      #expect(url == (answers.count == 1 ? CA.url("acme") : CA.url("acme/directory")))
      #expect(found.newOrder == CA.url("o"))
    }
  }

  @Test("what is no directory is said to be none")
  func noDirectory() async {
    let ca = ScriptedTransport([.ok(nonce: nil, body: "<html>"), Response(status: 404, headers: [:], body: [])])
    await #expect(throws: ACMEError.self) {
      try await Directories.discover(CA.url("acme"), over: ca, logger: Logger(label: "test"), now: .earliest)
    }
  }

  @discardableResult
  private func post(_ connection: AuthorityConnection, _ path: String) async throws -> Response {
    try await connection.post(.order, CA.url(path), .none, as: .account(CA.url("account/1")), by: MemoryKey())
  }
}

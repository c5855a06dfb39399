import Testing

@testable import ChallengeHTTP

@Suite("The head of a request")
struct RequestHeadTests {
  private func read(_ text: String) -> RequestHead.Reading { Array(text.utf8).withUnsafeBytes { RequestHead.read($0) } }

  private func complete(_ text: String) -> RequestHead? { if case .complete(let head) = read(text) { head } else { nil } }

  @Test("is complete with its empty line, and not a byte before")
  func completeness() throws {
    let text = "GET /a HTTP/1.1\r\nHost: x\r\nUser-Agent: y\r\n\r\n"
    for length in 0..<text.utf8.count { #expect(read(String(decoding: text.utf8.prefix(length), as: UTF8.self)) == .incomplete) }
    let head = try #require(complete(text + "GET"))
    #expect(head.length == text.utf8.count)
    #expect(head.target == 4..<6)
    #expect(head.host == 23..<24)
  }

  @Test(
    "says whether the connection stays open",
    arguments: [
      ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", true), ("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", false),
      ("GET / HTTP/1.1\r\nHost: x\r\ncOnNeCtIoN:TE , Close\t\r\n\r\n", false), ("GET / HTTP/1.0\r\n\r\n", false),
      ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true), ("GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", true),
      ("GET / HTTP/1.1\nHost: x\n\n", true), ("\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", true),
    ])
  func persistence(text: String, keepsAlive: Bool) { #expect(complete(text)?.keepsAlive == keepsAlive) }

  @Test(
    "says whether a body follows",
    arguments: [
      ("Content-Length: 0", false), ("Content-Length: 00", false), ("Content-Length: 1", true), ("content-length: 99999999999999999999999", true),
      ("Transfer-Encoding: chunked", true), ("Transfer-Encoding:", true), ("X-Content-Length: 5", false),
    ])
  func body(field: String, hasBody: Bool) { #expect(complete("GET / HTTP/1.1\r\nHost: x\r\n\(field)\r\n\r\n")?.hasBody == hasBody) }

  @Test(
    "is refused when it is none, or could be understood in two ways",
    arguments: [
      "GET /\r\n\r\n", "GET  HTTP/1.1\r\n\r\n", " / HTTP/1.1\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET / HTTP/1.1 \r\n\r\n",
      "GET /a b HTTP/1.1\r\n\r\n", "hello\r\n",
      "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\n y\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\0\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\rx\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n\r\n",
      "\u{16}\u{3}\u{1}\u{2}\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ])
  func malformed(text: String) { #expect(read(text) == .malformed) }

  @Test("is read without a trap, whatever the bytes")
  func anyBytes() {
    var generator = SystemRandomNumberGenerator()
    let alphabet = Array("GET HTTP/1.10 \r\n\r\n:\thost/.connection,close".utf8) + [0, 0x7F, 0x80, 0xFF]
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 0...60, using: &generator)).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
      if case .complete(let head) = bytes.withUnsafeBytes({ RequestHead.read($0) }) { #expect(head.length <= bytes.count) }
    }
  }
}

@Suite("The path of a challenge")
struct ChallengePathTests {
  @Test(
    "is the well-known one, at the root or below any path",
    arguments: [
      ("/.well-known/acme-challenge/abc", "abc"), ("/connector/.well-known/acme-challenge/abc", "abc"),
      ("http://x/.well-known/acme-challenge/abc", "abc"),
      ("/.well-known/acme-challenge/abc?x=/y", "abc"), ("/.well-known/acme-challenge/", ""), ("/.well-known/acme-challenge", nil), ("/", nil),
      ("", nil),
      ("*", nil), ("/.well-known/acme-challenge/abc/", nil), ("/.well-known/acme-challenge/../abc", nil), ("/x.well-known/acme-challenge/abc", nil),
      ("/.WELL-KNOWN/acme-challenge/abc", nil), ("?/.well-known/acme-challenge/abc", nil),
    ])
  func lastPart(target: String, part: String?) {
    let bytes = Array("GET \(target) HTTP/1.1".utf8)
    let found = bytes.withUnsafeBytes { all in
      ChallengePath.lastPart(ofTarget: all[4..<4 + target.utf8.count]).map { String(decoding: $0, as: UTF8.self) }
    }
    #expect(found == part)
  }
}

@Suite("The date of an answer")
struct DateTests {
  @Test("is an IMF-fixdate", arguments: [(0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT")])
  func date(moment: Int, text: String) { #expect(DatedStatus.format(moment) == text) }
}

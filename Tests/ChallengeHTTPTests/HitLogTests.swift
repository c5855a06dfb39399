import LineLog
import NIOCore
import PKI
import RawSocket
import ResponderAPI
import Telemetry
import Testing

@testable import ChallengeHTTP

@Suite("The log of requests") struct HitLogTests {
  @Test("a flood is one line a minute, which says how many there were")
  func flood() {
    let lines = LineLog.Lines()
    let log = HitLog(logger: LineLog.make(lines), metrics: MetricsRegistry())
    let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    // A hundred requests a second, for three minutes.
    for number in 0..<18_000 { log.refused(now: start + .milliseconds(Int64(number) * 10)) }
    #expect(
      lines.all == [
        "notice requests for no live token count=1 event=straysAtPort80", "notice requests for no live token count=6000 event=straysAtPort80",
        "notice requests for no live token count=6000 event=straysAtPort80",
      ])
  }

  @Test("what misses is told of a name that is traced, and of no other")
  func misses() async throws {
    try await TestHTTPServer.run { server in
      var traced = try wish(1)
      traced.device = "d1"
      traced.trace = .make().sampled(true)
      try server.tokens.publish(traced)
      try server.tokens.publish(wish(2, name: "other.example.com"))
      _ = try await server.get("/.well-known/acme-challenge/another")
      _ = try await server.exchange("GET / HTTP/1.1\r\nHost: other.example.com\r\nConnection: close\r\n\r\n")
      let told = server.lines.all.filter { $0.contains("GET /.well-known/acme-challenge/another") }
      #expect(told.count == 1)
      let start =
        "debug GET /.well-known/acme-challenge/another: 404 Not Found; the token awaited is \(try sampleToken(1)) category=Challenge device=d1"
      #expect(told.first?.hasPrefix(start) == true, "\(told)")
      #expect(!server.lines.all.contains { $0.contains(thumbprint) })
    }
  }

  @Test("of a traced token every answer is told, by the next process too; not so when the trace is off again")
  func hits() async throws {
    let folder = try TemporaryFolder()
    var wish = try wish()
    wish.trace = .make().sampled(true)
    try LiveTokens(log: folder.leaseLog, clock: TestClock().wall, logger: LineLog.make(LineLog.Lines())).publish(wish)
    let path = "/.well-known/acme-challenge/\(wish.token)"
    try await TestHTTPServer.run(tokensIn: folder) { [wish] server in
      for _ in 0..<40 { _ = try await server.get(path) }
      #expect(server.lines.all.count { $0.contains("challenge answered") } == 40)
      var quiet = wish
      quiet.trace = wish.trace?.sampled(false)
      try server.tokens.publish(quiet)
      _ = try await server.get(path)
      _ = try await server.get("/")
      #expect(server.lines.all.count { $0.contains("challenge answered") } == 40)
      #expect(!server.lines.all.contains { $0.contains("GET /:") })
    }
  }
}

import LineLog
import PKI
import RawSocket
import ResponderAPI
import Subprocess
import Testing

@testable import ChallengeHTTP

@Suite("Challenges over HTTP", .timeLimit(.minutes(1)))
struct HTTPAnswerTests {
  private static let folder = "/.well-known/acme-challenge/"

  private func path(_ number: Int = 1) throws -> String { Self.folder + (try sampleToken(number)).value }

  @Test("are answered with the bare key authorization, whatever the Host, also below another path", arguments: ["", "/connector", "/a/b"])
  func get(prefix: String) async throws {
    try await TestHTTPServer.run { server in
      let wish = try wish()
      try server.tokens.publish(wish)
      let answer = try await server.get(prefix + path())
      #expect(answer.status == "HTTP/1.1 200 OK")
      #expect(answer.body == wish.keyAuthorization.value)
      #expect(answer.fields["content-type"] == "application/octet-stream")
      #expect(answer.fields["content-length"] == "\(wish.keyAuthorization.value.utf8.count)")
      #expect(answer.fields["cache-control"] == "no-store")
      #expect(answer.fields["connection"] == "close")
      #expect(answer.fields["date"]?.hasSuffix(" GMT") == true)
      let head = try await server.get(prefix + path(), method: "HEAD")
      #expect(head.body == "")
      #expect(head.fields["content-length"] == answer.fields["content-length"])
    }
  }

  @Test(
    "are not found, at once and in short, where there are none",
    arguments: ["/", "*", "/.well-known/acme-challenge/unknown", "/.well-known/acme-challenge/", "/.well-known/acme-challenge/..%2Fx", "/index.html"])
  func notFound(target: String) async throws {
    try await TestHTTPServer.run { server in
      try server.tokens.publish(wish())
      let answer = try await server.get(target)
      #expect(answer.code == 404)
      #expect(answer.body == "not found\n")
      #expect(try await server.get(target, method: "HEAD").body == "")
    }
  }

  @Test("are not found any more when their lease has ended")
  func ended() async throws {
    try await TestHTTPServer.run { server in
      try server.tokens.publish(wish())
      server.tokens.withdraw(order: "order-1", token: try sampleToken())
      #expect(try await server.get(path()).code == 200)
      server.clock.advance(by: .seconds(121))
      #expect(try await server.get(path()).code == 404)
    }
  }

  @Test("are told to whoever withdraws them: from where, when, and of many only the first")
  func visits() async throws {
    try await TestHTTPServer.run { server in
      try server.tokens.publish(wish())
      let first = server.clock.wall.now()
      #expect(try await server.get(path()).code == 200)
      server.clock.advance(by: .seconds(3))
      #expect(try await server.get(path(2)).code == 404)
      for _ in 1...40 { #expect(try await server.get(path(), method: "HEAD").code == 200) }
      let visits = server.tokens.withdraw(order: "order-1", token: try sampleToken())
      #expect(visits.count == 32)
      #expect(Set(visits.map(\.address)) == ["127.0.0.1"])
      #expect(visits.map(\.time) == [first] + Array(repeating: server.clock.wall.now(), count: 31))
    }
  }

  @Test(
    "are told to have come from where a reverse proxy on this machine says, the nearest hop that it was asked by; what makes no sense is left out",
    arguments: [
      ("198.51.100.7", "198.51.100.7"), ("203.0.113.9, 198.51.100.7", "198.51.100.7"), ("[2001:db8::7]:4711", "2001:db8::7"),
      ("198.51.100.7:4711", "198.51.100.7"), ("::ffff:198.51.100.7", "198.51.100.7"), ("unknown", "127.0.0.1"), ("198.51.100.7,", "198.51.100.7"),
      ("a b", "127.0.0.1"), ("", "127.0.0.1"),
    ])
  func forwarded(hops: String, visitor: String) async throws {
    try await TestHTTPServer.run { server in
      try server.tokens.publish(wish())
      #expect(try await server.get(path(), fields: "x-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: \(hops)\r\nConnection: close\r\n").code == 200)
      #expect(server.tokens.withdraw(order: "order-1", token: try sampleToken()).map(\.address) == [visitor])
      #expect(server.lines.all.contains { $0.contains("challenge answered") && $0.contains("peer=\(visitor)") })
    }
  }

  @Test("know no other methods", arguments: ["POST", "PUT", "DELETE", "OPTIONS", "get", "BREW"])
  func method(name: String) async throws {
    try await TestHTTPServer.run { server in
      try server.tokens.publish(wish())
      let answer = try await server.get(path(), method: name)
      #expect(answer.code == 405)
      #expect(answer.fields["allow"] == "GET, HEAD")
    }
  }

  @Test("are answered over one connection as long as both sides want it")
  func keepAlive() async throws {
    try await TestHTTPServer.run { server in
      try server.tokens.publish(wish())
      let socket = try server.connect()
      for _ in 0..<3 {
        try await socket.send("GET \(path()) HTTP/1.1\r\nHost: x\r\n\r\n")
        let head = try #require(try await socket.receive(until: "\r\n\r\n"))
        #expect(!head.contains("Connection:"))
        #expect(try await socket.receive(count: wish().keyAuthorization.value.utf8.count) == wish().keyAuthorization.value)
      }
      try await socket.send("GET \(path()) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      #expect(Answer(try await socket.receiveAll()).code == 200)

      #expect(try await server.exchange("GET \(path()) HTTP/1.0\r\n\r\n").fields["connection"] == "close")
      let old = try server.connect()
      try await old.send("GET \(path()) HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
      #expect(try await old.receive(until: "\r\n\r\n")?.contains("Connection: keep-alive") == true)
    }
  }

  @Test("are answered in order when asked for in one go, or in single bytes")
  func pipelining() async throws {
    try await TestHTTPServer.run { server in
      for number in 1...50 { try server.tokens.publish(wish(number)) }
      var requests = ""
      for number in 1...50 {
        requests += "GET \(try path(number)) HTTP/1.1\r\nHost: x\r\n\r\nHEAD \(try path(number)) HTTP/1.1\r\nHost: x\r\n\r\n"
        requests += "GET /\(number) HTTP/1.1\r\nHost: x\r\n\r\n"
      }
      requests += "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
      let socket = try server.connect()
      try await socket.send(requests)
      for number in 1...50 {
        #expect(try await socket.receive(until: "\r\n\r\n")?.hasPrefix("HTTP/1.1 200") == true)
        let expected = try wish(number).keyAuthorization.value
        #expect(try await socket.receive(count: expected.utf8.count) == expected)
        #expect(try await socket.receive(until: "\r\n\r\n")?.hasPrefix("HTTP/1.1 200") == true)
        #expect(try await socket.receive(until: "\r\n\r\n")?.hasPrefix("HTTP/1.1 404") == true)
        #expect(try await socket.receive(until: "\n") == "not found")
      }
      #expect(Answer(try await socket.receiveAll()).code == 404)

      let slow = try server.connect()
      for byte in "GET \(try path()) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".utf8 { try await slow.send([byte]) }
      #expect(Answer(try await slow.receiveAll()).code == 200)
    }
  }

  @Test("are what curl gets, over IPv4 and IPv6", arguments: [false, true])
  func curl(isIPv6: Bool) async throws {
    try await TestHTTPServer.run(on: RawSocket.listen(isIPv6: isIPv6)) { server in
      let wish = try wish()
      try server.tokens.publish(wish)
      let url = "http://\(isIPv6 ? "[::1]" : "127.0.0.1"):\(server.port)\(try path())"
      let result = try await Subprocess.run(
        .name("curl"), arguments: ["--silent", "--show-error", "--fail", "--noproxy", "*", url, url], output: .string(limit: 65_536),
        error: .discarded)
      #expect(result.standardOutput == wish.keyAuthorization.value + wish.keyAuthorization.value)
    }
  }

  @Test("leave a trace: each first hit with its story, the others as a number, and never the key authorization")
  func log() async throws {
    try await TestHTTPServer.run { server in
      try server.tokens.publish(wish())
      for _ in 0..<40 { _ = try await server.get(path()) }
      for number in 0..<10 { _ = try await server.get("/nothing/\(number)") }
      let hits = server.lines.all.filter { $0.contains("challenge answered") }
      #expect(hits.count == 32)
      #expect(
        hits.first?.hasPrefix(
          "info challenge answered hit=1 host=phone.example.com method=GET name=phone.example.com order=order-1 peer=127.0.0.1 status=200")
          == true
      )
      #expect(server.lines.all.filter { $0.contains("no live token") } == ["notice requests for no live token count=1 event=straysAtPort80"])
      #expect(!server.lines.all.contains { $0.contains(thumbprint) })
      #expect(server.tokens.live().first?.value.hits == 40)
    }
  }

  @Test("keep the process only when they are live ones")
  func use() async throws {
    try await TestHTTPServer.run { server in
      _ = try await server.get("/")
      #expect(server.uses.count == 0)
      try server.tokens.publish(wish())
      _ = try await server.get(path())
      #expect(server.uses.count == 1)
    }
  }
}

import NIOCore
import RawSocket
import Testing

@testable import ChallengeHTTP

@Suite("The HTTP side is bounded", .timeLimit(.minutes(1)))
struct HTTPLimitTests {
  private func limits(_ change: (inout HTTPLimits) -> Void) -> HTTPLimits {
    var limits = HTTPLimits()
    change(&limits)
    return limits
  }

  @Test("in the length of a head")
  func headLength() async throws {
    try await TestHTTPServer.run { server in
      func request(_ length: Int) -> String {
        let frame = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: \r\n\r\n"
        return frame.replacing("X: ", with: "X: " + String(repeating: "y", count: length - frame.utf8.count))
      }
      for (text, code) in [(request(8192), 404), (request(8193), 431), (String(repeating: "x", count: 8192), 431)] {
        let answer = try await server.exchange(text)
        #expect(answer.code == code)
      }
    }
  }

  @Test("in what it takes for a request", arguments: ["\u{16}\u{3}\u{1}\u{2}\n", "GET /\r\n", "GET / HTTP/1.1\r\n\r\n"])
  func noRequest(text: String) async throws {
    try await TestHTTPServer.run { server in
      let answer = try await server.exchange(text)
      #expect(answer.code == 400)
      #expect(answer.fields["connection"] == "close")
    }
  }

  @Test(
    "in bodies: a request with one is answered, and what follows is never taken for another",
    arguments: ["Content-Length: 40", "Transfer-Encoding: chunked", "Content-Length: 40\r\nTransfer-Encoding: chunked"])
  func body(field: String) async throws {
    try await TestHTTPServer.run { server in
      try server.tokens.publish(wish())
      let socket = try server.connect()
      try await socket.send(
        "GET / HTTP/1.1\r\nHost: x\r\n\(field)\r\n\r\nGET /.well-known/acme-challenge/\(try sampleToken()) HTTP/1.1\r\nHost: x\r\n\r\n")
      try await socket.send(String(repeating: "x", count: 100_000))
      socket.closeOutput()
      let answers = try await socket.receiveAll()
      #expect(Answer(answers).code == 404)
      #expect(Answer(answers).body == "not found\n")
    }
  }

  @Test("in connections: one too many takes the place of the one that has been quiet for longest")
  func connections() async throws {
    try await TestHTTPServer.run(limits: limits { $0.connections = 3 }) { server in
      let request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
      let sockets = try (0..<3).map { _ in try server.connect() }
      for socket in sockets + sockets.prefix(1) {
        try await socket.send(request)
        #expect(try await socket.receive(until: "not found\n") != nil)
      }
      #expect(try await server.get("/").code == 404)
      #expect(try await sockets[1].receiveAll() == "")
      for index in [0, 2] {
        try await sockets[index].send(request)
        #expect(try await sockets[index].receive(until: "not found\n") != nil)
      }
      var silent: [RawSocket] = []
      for _ in 0..<20 { silent.append(try server.connect()) }
      #expect(try await server.get("/").code == 404)
    }
  }

  @Test("in what a peer that does not read can have it keep")
  func deafPeer() async throws {
    try await TestHTTPServer.run(limits: limits { $0.idle = .milliseconds(200) }) { server in
      try server.tokens.publish(wish())
      let socket = try server.connect()
      let requests = String(repeating: "GET /.well-known/acme-challenge/\(try sampleToken()) HTTP/1.1\r\nHost: x\r\n\r\n", count: 1000)
      var sent = 0
      await #expect(throws: RawSocket.Failure.self) {
        while true {
          try await socket.send(requests)
          sent += 1
        }
      }
      // What it has not read it has not answered either: the rest is in the kernel's buffers.
      #expect(server.tokens.live().first.map { $0.value.hits < (sent + 1) * 1000 } == true)
      #expect(try await server.get("/").code == 404)
    }
  }
}

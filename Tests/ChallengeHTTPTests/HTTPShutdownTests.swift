import NIOCore
import PKI
import RawSocket
import ResponderAPI
import Testing

@testable import ChallengeHTTP

@Suite("The HTTP side, asked to end,", .timeLimit(.minutes(1)))
struct HTTPShutdownTests {
  private static let request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

  @Test("closes idle connections and answers those that have begun")
  func graceful() async throws {
    var limits = HTTPLimits()
    limits.end = .seconds(30)
    try await TestHTTPServer.run(limits: limits) { server in
      let idle = try server.connect()
      try await idle.send(Self.request)
      #expect(try await idle.receive(until: "not found\n") != nil)
      let begun = try server.connect()
      try await begun.send("GET / HT")
      #expect(try await server.get("/").code == 404)
      await server.stop()
      #expect(try await idle.receiveAll() == "")
      try await begun.send("TP/1.1\r\nHost: x\r\n\r\n")
      #expect(Answer(try await begun.receiveAll()).fields["connection"] == "close")
    }
  }

  @Test("does not wait long for a peer that says nothing")
  func silent() async throws {
    var limits = HTTPLimits()
    limits.end = .milliseconds(50)
    try await TestHTTPServer.run(limits: limits) { server in
      let silent = try server.connect()
      #expect(try await server.get("/").code == 404)
      await server.stop()
      #expect(try await silent.receiveAll() == "")
    }
  }

  @Test("leaves new connections to the next process, which answers the tokens of this one")
  func nextProcess() async throws {
    let folder = try TemporaryFolder()
    let listener = try RawSocket.listen()
    let path = "/.well-known/acme-challenge/\(try sampleToken())"
    try await TestHTTPServer.run(on: listener, tokensIn: folder) { server in
      try server.tokens.publish(wish())
      #expect(try await server.get(path).code == 200)
    }
    let waiting = try (0..<300).map { _ in try RawSocket.connect(port: listener.port) }
    for socket in waiting { try await socket.send("GET \(path) HTTP/1.0\r\n\r\n") }
    try await TestHTTPServer.run(on: listener, tokensIn: folder) { server in
      for socket in waiting {
        let answer = Answer(try await socket.receiveAll())
        #expect(answer.body == (try wish()).keyAuthorization.value)
      }
    }
  }
}

import PKI
import RawSocket
import Testing

@testable import ACMEDeviceCommand

@Suite("A device's listener for the CA", .timeLimit(.minutes(1)))
struct ChallengeListenerTests {
  @Test("an address is a host and a port")
  func addresses() {
    #expect(ListenAddress("0.0.0.0:80")?.description == "0.0.0.0:80")
    #expect(ListenAddress("[::]:80")?.host == "::")
    #expect(ListenAddress("[::1]:8080")?.description == "[::1]:8080")
    for text in ["80", ":80", "::1:80", "host:", "host:65536", "host:x", "[]:80"] { #expect(ListenAddress(text) == nil, "\(text)") }
  }

  @Test("a live token is answered bare, to GET and HEAD, and asked for with the request's host")
  func found() async throws {
    try await serving { port in
      let answer = try await ask("GET /.well-known/acme-challenge/live HTTP/1.1\r\nHost: a.example\r\n\r\n", at: port)
      #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix("\r\n\r\nlive.a_example"))
      #expect(answer.contains("Content-Length: 14\r\n") && answer.contains("Content-Type: application/octet-stream\r\n"))
      let head = try await ask("HEAD /.well-known/acme-challenge/live?x=1 HTTP/1.1\r\nHost: a.example\r\n\r\n", at: port)
      #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n") && head.hasSuffix("\r\n\r\n"))
    }
  }

  @Test(
    "everything else is not found",
    arguments: [
      "/", "/.well-known/acme-challenge/", "/.well-known/acme-challenge/unknown", "/.well-known/acme-challenge/../live",
      "/.well-known/acme-challenge/live/", "/x/.well-known/acme-challenge/live", "/.well-known/acme-challenge/live%00",
    ])
  func notFound(path: String) async throws {
    try await serving { port in
      try await #expect(ask("GET \(path) HTTP/1.1\r\nHost: a.example\r\n\r\n", at: port).hasPrefix("HTTP/1.1 404 Not Found\r\n"))
    }
  }

  @Test("other methods are not allowed, and what is no HTTP is cut off")
  func others() async throws {
    try await serving { port in
      let answer = try await ask("POST /.well-known/acme-challenge/live HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n", at: port)
      #expect(answer.hasPrefix("HTTP/1.1 405 Method Not Allowed\r\n"))
      let nonsense = try await ask("\u{16}\u{3}\u{1} nonsense\r\n\r\n", at: port)
      #expect(!nonsense.contains("200 OK"))
    }
  }

  @Test("an address that is taken is named, with the reason")
  func taken() async throws {
    try await serving { port in
      let address = try #require(ListenAddress("127.0.0.1:\(port)"))
      let error = await #expect(throws: EnrollError.self) { _ = try await ChallengeListener.open(address) { _, _ in nil } }
      #expect(error?.description == "127.0.0.1:\(port) cannot be listened at for challenges: Address already in use.")
    }
  }

  @Test("more connections than there is room for are closed at once, and there is room again when others have gone")
  func crowd() async throws {
    try await serving { port in
      var crowd: [RawSocket] = []
      for _ in 0..<ChallengeListener.mostConnections { crowd.append(try RawSocket.connect(port: port)) }
      try await #expect(RawSocket.connect(port: port).receiveAll() == "")
      for socket in crowd { socket.close() }
      var answer = ""
      while !answer.contains("200 OK") {
        try await Task.sleep(for: .milliseconds(10))
        answer = (try? await ask("GET /.well-known/acme-challenge/live HTTP/1.1\r\nHost: a\r\n\r\n", at: port)) ?? ""
      }
    }
  }

  /// A listener that knows one token, and says for which host it was asked.
  private func serving(_ body: (UInt16) async throws -> Void) async throws {
    let address = try #require(ListenAddress("127.0.0.1:0"))
    let listener = try await ChallengeListener.open(address) { host, token in
      guard token.value == "live" else { return nil }
      return KeyAuthorization("live.\(host?.replacing(".", with: "_") ?? "none")")
    }
    try await body(UInt16(try #require(listener.port)))
    await listener.close()
  }

  private func ask(_ request: String, at port: UInt16) async throws -> String {
    let socket = try RawSocket.connect(port: port)
    try await socket.send(request)
    return try await socket.receiveAll()
  }
}

import AppWebsocket
import FoundationEssentials
import NIOCore
import NIOSSL
import PKI
import RawSocket
import Testing

@testable import ACMEDeviceCommand

@Suite("Whom a device trusts")
struct GatewayConnectorTests {
  private static let expired = Instant(milliseconds: 1_700_000_001_000)
  private static let valid = Instant(milliseconds: 4_000_000_000_000)

  private func connect(
    to identity: TestIdentity, host: String = "localhost", path: String = "/connector", trust: Trust
  ) async throws -> ConnectionEnd? {
    try await TestGateway.serving(tls: identity.context, { _, _, _ in [] }) { gateway in
      let url = try #require(ConnectorURL("wss://\(host):\(gateway.port)\(path)"))
      let connector = try GatewayConnector(url, trust: trust)
      do {
        let connection = try await connector.open()
        let outbox = Outbox()
        try? outbox.put(.close(.normal))
        _ = await connection.run(outbox) { _ in }
        return nil
      } catch let error as ConnectionError {
        return .failed(error)
      }
    }
  }

  private func code(_ end: ConnectionEnd?) -> ConnectionError.Code? {
    if case .failed(let error) = end { error.code } else { nil }
  }

  @Test("the pinned key is trusted whatever the certificate's name and dates", arguments: ["localhost", "127.0.0.1"])
  func pinned(host: String) async throws {
    let identity = try TestIdentity(names: names("other.example"), notAfter: Self.expired)
    #expect(try await connect(to: identity, host: host, trust: .pin(identity.key.keyPin)) == nil)
  }

  @Test("another key is not trusted, and the error names the key that was seen")
  func otherKey() async throws {
    let identity = try TestIdentity(names: names("localhost"), notAfter: Self.valid)
    let end = try await connect(to: identity, trust: .pin(SubjectPublicKeyPin(of: [1])))
    #expect(code(end) == .untrusted)
    guard case .failed(let error) = end else { return }
    #expect(error.description.contains("is \(identity.key.keyPin), not the pinned one"))
    #expect(!error.isTransient)
  }

  @Test("without a pin the authority in the file is trusted, for the right name and in time")
  func authority() async throws {
    try await withFolder { folder in
      func end(_ names: [DNSName], until: Instant) async throws -> ConnectionEnd? {
        let identity = try TestIdentity(names: names, notAfter: until)
        let file = "\(folder)/\(until.milliseconds)-\(names[0]).pem"
        try Data(identity.authorityPEM.utf8).write(to: URL(filePath: file))
        return try await connect(to: identity, trust: .authorities(file: file))
      }
      let right = try await end(names("localhost"), until: Self.valid)
      let wrongName = try await end(names("other.example"), until: Self.valid)
      let tooOld = try await end(names("localhost"), until: Self.expired)
      #expect(right == nil)
      #expect(code(wrongName) == .untrusted)
      #expect(code(tooOld) == .untrusted)
    }
  }

  @Test("a lone certificate that is no authority's is that of the connector: its key is trusted, and an authority's is not taken for a key")
  func ownCertificate() async throws {
    try await withFolder { folder in
      let key = try SigningKey(.p256)
      let own = try key.selfSignedCertificate(
        commonName: "connector", names: names("localhost"), notBefore: Instant(milliseconds: 0), notAfter: Self.valid)
      let (ownFile, authorityFile) = ("\(folder)/own.pem", "\(folder)/authority.pem")
      try Data(own.pem.utf8).write(to: URL(filePath: ownFile))
      try Data(TestIdentity(names: names("localhost"), notAfter: Self.valid).authorityPEM.utf8).write(to: URL(filePath: authorityFile))
      #expect(try Trust(certificatesIn: ownFile) == .pin(key.keyPin))
      #expect(try Trust(certificatesIn: authorityFile) == .authorities(file: authorityFile))
      #expect(throws: FileError.self) { try Trust(certificatesIn: "\(folder)/none.pem") }
    }
  }

  @Test("the system does not trust an authority that nobody knows, and the error says what to do")
  func system() async throws {
    let identity = try TestIdentity(names: names("localhost"), notAfter: Self.valid)
    let end = try await connect(to: identity, trust: .system)
    #expect(code(end) == .untrusted)
    guard case .failed(let error) = end else { return }
    #expect(error.description.contains("--pin"))
  }

  @Test("what is no connector's path is told by its status, and not tried for ever")
  func wrongPath() async throws {
    let identity = try TestIdentity(names: names("localhost"), notAfter: Self.valid)
    let end = try await connect(to: identity, path: "/elsewhere", trust: .pin(identity.key.keyPin))
    guard case .failed(let error) = end else {
      Issue.record("connected")
      return
    }
    #expect(error.code == .noWebSocket && error.description.contains("status 404") && !error.isTransient)
  }

  @Test("a port that speaks TLS is not spoken to in the clear, and the error says how")
  func tlsPort() async throws {
    let (listener, port) = try RawSocket.listen()
    let url = try #require(ConnectorURL("ws://127.0.0.1:\(port)/connector"))
    let opening = Task { try await GatewayConnector(url, trust: .system).open() }
    let peer = try await listener.accept()
    _ = try await peer.receive(until: "\r\n\r\n")
    // An alert (RFC 8446, section 6): what a TLS server answers to a request in the clear.
    try await peer.send([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46])
    peer.close()
    let error = await #expect(throws: ConnectionError.self) { try await opening.value }
    #expect(error?.description == "What answers at \(url) speaks no HTTP; where it speaks TLS, the URL begins with wss.")
  }

  @Test("who takes the connection and then is silent is not waited for longer than one who is not there, and not at all once it is not wanted")
  func silent() async throws {
    let (listener, port) = try RawSocket.listen()
    let url = try #require(ConnectorURL("ws://127.0.0.1:\(port)/connector"))
    let error = await #expect(throws: ConnectionError.self) {
      try await GatewayConnector(url, trust: .system, patience: .milliseconds(50)).open()
    }
    #expect(error?.description == "Nobody answers at \(url): there is no answer.")
    let unanswered = try await listener.accept()

    let opening = Task { try await GatewayConnector(url, trust: .system, patience: .hours(1)).open() }
    let peer = try await listener.accept()
    opening.cancel()
    await #expect(throws: ConnectionError.self) { try await opening.value }
    #expect(try await peer.receiveAll().hasPrefix("GET /connector"))
    unanswered.close()
  }

  @Test("nobody there is a reason to try again")
  func nobody() async throws {
    let url = try #require(ConnectorURL("ws://127.0.0.1:1/connector"))
    let error = await #expect(throws: ConnectionError.self) { try await GatewayConnector(url, trust: .system).open() }
    #expect(error?.description == "Nobody answers at ws://127.0.0.1:1/connector: Connection refused.")
    #expect(error?.isTransient == true)
  }
}

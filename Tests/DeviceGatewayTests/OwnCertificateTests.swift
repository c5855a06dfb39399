import AppWebsocket
import DeviceGatewayAPI
import FoundationEssentials
import PKI
import RawSocket
import SchedulerAPI
import ServiceRuntime
import Telemetry
import Testing
import Varlink

@testable import DeviceGateway

@Suite("The gateway's own certificate", .timeLimit(.minutes(1)))
struct OwnCertificateTests {
  /// By what the fake scheduler knows the gateway.
  private static let gateway = FakeScheduler.id(.init(scope: "gateway", hardwareID: "device-gateway"))

  @Test("it hands in a CSR for its names and its key, serves what comes, and gives its receipt")
  func obtained() async throws {
    try await TestGateway.run { gateway in
      let before = try await gateway.describe()
      #expect(before.issuer == nil)
      gateway.scheduler.tellGateway(try names("gw.example", "phones.example"))
      let csr = try await gateway.csr()
      #expect(csr.nameSet == Set(try names("gw.example", "phones.example")))
      #expect(csr.keyPin == before.pin)
      try await eventually("the request is shown") { try await gateway.describe().state == "queued" }

      let chain = try gateway.chain("gw.example", "phones.example")
      gateway.scheduler.tell(Self.gateway, .ready("request-1", chain))
      try await eventually("the receipt is given") { gateway.scheduler.with { $0.receipts.map(\.fingerprint) } == [chain.leaf.fingerprint] }
      try await eventually("it is shown as installed") { try await gateway.describe().state == "installed" }
      let after = try await gateway.describe()
      #expect(after.fingerprint == chain.leaf.fingerprint && after.issuer == "Test CA")
      #expect(after.pin == before.pin, "what devices pin stays")
      #expect(try await gateway.connectorPEM().hasSuffix(chain.leaf.pem))
    }
  }

  @Test("without names it hands in nothing, and serves what it has signed itself")
  func nameless() async throws {
    try await TestGateway.run { gateway in
      let device = try await gateway.device("a")
      try await eventually("the device is registered") { gateway.scheduler.with { !$0.registrations.isEmpty } }
      // Whoever leaves before its turn is not registered.
      try await device.send(KeepAlive().text)
      #expect(gateway.scheduler.with { $0.submissions.isEmpty })
      #expect(try await gateway.describe().issuer == nil)
    }
  }

  @Test("the same CSR is handed in whenever the scheduler's stream opens or the CA changes, and another one for other names")
  func handedInAgain() async throws {
    try await TestGateway.run { gateway in
      gateway.scheduler.tellGateway(try names("gw.example"))
      let first = try await gateway.csr()
      gateway.scheduler.tellGateway(try names("gw.example"))
      #expect(try await gateway.csr(number: 2) == first)
      gateway.scheduler.resync()
      #expect(try await gateway.csr(number: 3) == first)
      gateway.scheduler.tellGateway(try names("other.example"))
      #expect(try await gateway.csr(number: 4).names == names("other.example"))
    }
  }

  @Test("after a restart it serves the certificate, hands in the same CSR, and gives the receipt that it had not given")
  func restart() async throws {
    let folder = try TemporaryFolder()
    let scheduler = FakeScheduler()
    try scheduler.with { $0.names = try names("gw.example") }
    let (request, fingerprint) = (Box<SigningRequest>(), Box<Fingerprint>())
    try await TestGateway.run(in: folder, scheduler: scheduler) { gateway in
      request.value = try await gateway.csr()
      let chain = try gateway.chain("gw.example")
      fingerprint.value = chain.leaf.fingerprint
      scheduler.tell(Self.gateway, .ready("request-1", chain))
      try await eventually("the receipt is given") { scheduler.with { !$0.receipts.isEmpty } }
      scheduler.with { $0.receipts = [] }
    }
    try await TestGateway.run(in: folder, scheduler: scheduler) { gateway in
      #expect(try await gateway.describe().fingerprint == fingerprint.value)
      #expect(try await gateway.csr(number: 2) == request.value)
      let kept = try CertificateChain(pem: gateway.file("tls-chain.pem"))
      scheduler.tell(Self.gateway, .ready("request-1", kept))
      try await eventually("the receipt is given") { scheduler.with { $0.receipts.map(\.fingerprint) } == [fingerprint.value] }
    }
  }

  @Test("a chain that is for another key, or not for its names, is reported, and what was served stays", arguments: [true, false])
  func wrongChain(isForeign: Bool) async throws {
    try await TestGateway.run { gateway in
      gateway.scheduler.tellGateway(try names("gw.example"))
      _ = try await gateway.csr()
      let chain = isForeign ? try chain(for: SigningKey(.p256), "gw.example") : try gateway.chain("other.example")
      gateway.scheduler.tell(Self.gateway, .ready("request-1", chain))
      try await eventually("the failure is reported") { gateway.scheduler.with { $0.receipts.first?.failure != nil } }
      try await eventually("it is shown") { try await gateway.describe().problem != nil }
      #expect(try await gateway.describe().issuer == nil)
    }
  }

  @Test("the CSR is handed in now and then; when the certificate is over meanwhile, what the gateway has signed itself is served again")
  func over() async throws {
    let now = Box<Instant>()
    now.value = WallClock.system.now()
    let clock = WallClock { now.value ?? .earliest }
    try await TestGateway.run(clock: clock, handInInterval: .milliseconds(20)) { gateway in
      gateway.scheduler.tellGateway(try names("gw.example"))
      let csr = try await gateway.csr()
      let chain = try gateway.chain("gw.example", until: .seconds(3600))
      gateway.scheduler.tell(Self.gateway, .ready("request-1", chain))
      try await eventually("it is served") { try await gateway.describe().issuer == "Test CA" }
      now.value = chain.leaf.notAfter
      try await eventually("it is served no more") { try await gateway.describe().issuer == nil }
      let count = gateway.scheduler.with { $0.submissions.count }
      #expect(try await gateway.csr(number: count + 1) == csr)
      #expect(gateway.scheduler.with { $0.submissions.last?.replaces } == chain.leaf.fingerprint)
    }
  }

  @Test("a refusal is kept for the administrator, and over with the next CSR that is taken")
  func refused() async throws {
    try await TestGateway.run { gateway in
      gateway.scheduler.with { $0.refusal = .init(error: "nonPublicName", text: "gw.example is not public.") }
      gateway.scheduler.tellGateway(try names("gw.example"))
      try await eventually("the refusal is shown") { try await gateway.describe().problem == "gw.example is not public." }
      gateway.scheduler.with { $0.refusal = nil }
      gateway.scheduler.tellGateway(try names("gw.example"))
      _ = try await gateway.csr()
      try await eventually("it is over") { try await gateway.describe().problem == nil }
    }
  }

  @Test(
    "a stored chain that is of no use does not keep the gateway from serving: it falls back to what it has signed itself, with the same key",
    arguments: ["no certificate", "foreign", "over"])
  func fallsBack(what: String) async throws {
    let folder = try TemporaryFolder()
    let pin = Box<SubjectPublicKeyPin>()
    try await TestGateway.run(withScheduler: false, in: folder) { gateway in
      pin.value = try await gateway.describe().pin
      let stored =
        switch what {
        case "foreign": try chain(for: SigningKey(.p256), "gw.example").pem
        case "over": try gateway.chain("gw.example", until: .seconds(-60)).pem
        default: what
        }
      try Data(stored.utf8).write(to: gateway.url("tls-chain.pem"))
    }
    try await TestGateway.run(withScheduler: false, in: folder) { gateway in
      let described = try await gateway.describe()
      #expect(described.issuer == nil && described.pin == pin.value)
      let isSetAside = try AtomicFile(gateway.url("tls-chain.pem.corrupt")).read(limit: 1 << 20) != nil
      #expect(isSetAside == (what != "over"), "what makes no sense is set aside")
    }
  }
}

private func names(_ texts: String...) throws -> [DNSName] { try texts.map { try #require(DNSName($0)) } }

/// What a CA could have issued for the key: the issuer is called "Test CA", and there is nobody between.
private func chain(for key: SigningKey, _ texts: [String], until end: Duration = .seconds(86_400)) throws -> CertificateChain {
  let now = WallClock.system.now()
  let certificate = try key.selfSignedCertificate(
    commonName: "Test CA", names: texts.map { try #require(DNSName($0)) }, notBefore: now - .seconds(86_400), notAfter: now + end)
  return try CertificateChain(pem: certificate.pem)
}

private func chain(for key: SigningKey, _ texts: String...) throws -> CertificateChain { try chain(for: key, texts) }

extension TestGateway {
  fileprivate func describe() async throws -> Logins.Describe.Reply { try await logins.call(Logins.Describe.self, OnlyTrace()) }

  /// The CSR of its own that the gateway handed in as the first, second, … thing of all.
  fileprivate func csr(number: Int = 1) async throws -> SigningRequest {
    try await eventually("CSR \(number) is handed in") { scheduler.with { $0.submissions.count >= number } }
    return try SigningRequest(scheduler.with { $0.submissions[number - 1].csr })
  }

  fileprivate func url(_ name: String) -> URL { folder.url("state/\(name)") }

  fileprivate func file(_ name: String) throws -> String {
    String(decoding: try #require(try AtomicFile(url(name)).read(limit: 1 << 20)), as: UTF8.self)
  }

  /// A chain for the gateway's own key.
  fileprivate func chain(_ texts: String..., until end: Duration = .seconds(86_400)) throws -> CertificateChain {
    try DeviceGatewayTests.chain(for: SigningKey(pem: file("tls-key.pem")), texts, until: end)
  }

  fileprivate func connectorPEM() async throws -> String {
    let socket = try RawSocket.connect(port: port)
    try await socket.send("GET /connector/connector.pem HTTP/1.1\r\nHost: x\r\n\r\n")
    return try await socket.receiveAll()
  }
}

extension RequestView {
  /// A request whose certificate is this one.
  fileprivate static func ready(_ id: String, _ chain: CertificateChain) -> RequestView {
    RequestView(
      id: RequestID(rawValue: id), slot: "default", state: .ready,
      certificate: DeliveredCertificate(
        chain: chain.pem, fingerprint: chain.leaf.fingerprint, notBefore: chain.leaf.notBefore, notAfter: chain.leaf.notAfter,
        installAt: chain.leaf.notBefore))
  }
}

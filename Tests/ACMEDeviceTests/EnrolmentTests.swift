import AppWebsocket
import FoundationEssentials
import NIOConcurrencyHelpers
import PKI
import Testing

@testable import ACMEDeviceCommand

/// The scheduler of the tests: certifies every CSR at once.
actor TestScheduler {
  let authority: TestAuthority
  private(set) var csrs: [String] = []
  private(set) var receipts: [Fingerprint] = []
  private(set) var answersToRenewal = 0
  /// Closes the first connection with 1001 as soon as a request is accepted.
  private let restarts: Bool
  /// Asks for a renewal with a new key after the first receipt.
  private let renews: Bool

  init(restarts: Bool = false, renews: Bool = false) throws {
    authority = try TestAuthority()
    self.restarts = restarts
    self.renews = renews
  }

  func answer(_ message: DeviceMessage, _ correlation: Correlation, _ connection: Int) throws -> [TestGateway.Answer] {
    switch message {
    case .registerDevice:
      let result = RegisterDeviceResult(
        renewDays: 30, installDays: 10, maxDnsNames: 100, pin: SubjectPublicKeyPin(of: [1]), serverTime: Instant(milliseconds: 0))
      return [.send(result.text(correlation: correlation))]
    case .requestCertificate(let request):
      csrs.append(request.csr)
      let accepted = TestGateway.Answer.send(RequestCertificateResult(id: try id(csrs.count), state: .queued).text(correlation: correlation))
      if restarts, connection == 1 { return [accepted, .close(1001)] }
      return [accepted, .send(CertificateState(id: try id(csrs.count), state: .challenging).text), .send(try ready(csrs.count).text)]
    case .getCertificate(let question):
      guard case .id(let id) = question.key, let number = Int(id.value), csrs.indices.contains(number - 1) else {
        return [.send(Refusal(of: GetCertificate.name, .notFound, "There is no such request.").text(correlation: correlation))]
      }
      return [.send(GetCertificateResult(id: id, state: .ready, outcome: .ready(try ready(number))).text(correlation: correlation))]
    case .certificateInstalled(let receipt):
      receipts.append(receipt.fingerprint)
      let confirmed = TestGateway.Answer.send(CertificateInstalledResult().text(correlation: correlation))
      guard renews else { return [confirmed] }
      guard receipts.count == 1 else { return [confirmed, .close(1008)] }
      return [confirmed, .send(RenewCertificate(slot: .defaultSlot, dnsNames: [], reason: .keyCompromise, newKey: true).text)]
    case .renewCertificateResult: answersToRenewal += 1
    default: break
    }
    return []
  }

  private func id(_ number: Int) throws -> ShortText { try #require(ShortText("\(number)")) }

  private func ready(_ number: Int) throws -> CertificateReady {
    let chain = try authority.issue(try SigningRequest(csrs[number - 1]))
    return CertificateReady(
      id: try id(number), slot: .defaultSlot, certificate: chain.pem, notBefore: chain.leaf.notBefore, notAfter: chain.leaf.notAfter,
      fingerprint: chain.leaf.fingerprint, installAt: Instant(milliseconds: 0))
  }
}

@Suite("An enrolment, over a real connection", .timeLimit(.minutes(1)))
struct EnrolmentTests {
  private func wishes(_ change: (inout DeviceMachine.Wishes) -> Void = { _ in }) throws -> DeviceMachine.Wishes {
    var wishes = DeviceMachine.Wishes(names: try names("a.example", "b.example"), hardwareID: try #require(ShortText("device")))
    wishes.timeLimit = .seconds(30)
    change(&wishes)
    return wishes
  }

  private func enroll(
    _ wishes: DeviceMachine.Wishes, in path: String, at gateway: TestGateway, password: String = TestGateway.password, hook: InstallHook? = nil,
    say: @escaping @Sendable (String) -> Void = { _ in }
  ) async throws -> Outcome {
    let secret = "\(path)/password"
    try Data("\(password)\n".utf8).write(to: URL(filePath: secret))
    let folder = CertificateFolder(path: "\(path)/device")
    let lock = try folder.prepare()
    defer { withExtendedLifetime(lock) {} }
    let url = try #require(ConnectorURL("ws://127.0.0.1:\(gateway.port)/connector"))
    let enrolment = try Enrolment(
      wishes, as: LoginDigest.Subject(app: "acme-device", sip: "device"), secret: SecretFile(path: secret),
      at: GatewayConnector(url, trust: .system), in: folder, hook: hook, progress: Progress(write: say))
    return await enrolment.run()
  }

  private func usable(_ path: String) throws -> CertificateChain {
    let chain = try CertificateChain(pem: #require(text(of: "\(path)/device/fullchain.pem")))
    let key = try SigningKey(pem: #require(text(of: "\(path)/device/key.pem")))
    try #require(key.publicKey == chain.leaf.publicKey)
    return chain
  }

  @Test("a device holds a certificate for its key and names, and the connector knows", arguments: [KeyKind.p256, .p384, .rsa2048])
  func enrolls(kind: KeyKind) async throws {
    let scheduler = try TestScheduler()
    try await withFolder { path in
      let said = NIOLockedValueBox<[String]>([])
      let outcome = try await TestGateway.serving({ try await scheduler.answer($0, $1, $2) }) {
        try await enroll(try wishes { $0.keyKind = kind }, in: path, at: $0) { line in said.withLockedValue { $0.append(line) } }
      }
      #expect(outcome == .done)
      let chain = try usable(path)
      #expect(chain.leaf.names == (try names("a.example", "b.example")))
      #expect(await scheduler.receipts == [chain.leaf.fingerprint])
      #expect(text(of: "\(path)/device/.acme-device/pending.json") == nil)
      let progress = said.withLockedValue { $0 }
      #expect(progress.contains("acme-device: logged in"))
      #expect(progress.contains("acme-device: connector accepted the request 1"))
      #expect(progress.contains("acme-device: validating the names"))
    }
  }

  @Test("a connector that restarts while it has the request is asked for the same one, not for another")
  func restart() async throws {
    let scheduler = try TestScheduler(restarts: true)
    try await withFolder { path in
      let outcome = try await TestGateway.serving({ try await scheduler.answer($0, $1, $2) }) { try await enroll(try wishes(), in: path, at: $0) }
      #expect(outcome == .done)
      #expect(await scheduler.csrs.count == 1)
    }
  }

  @Test("a second run keeps the key; with newKey it does not")
  func keys() async throws {
    let scheduler = try TestScheduler()
    try await withFolder { path in
      try await TestGateway.serving({ try await scheduler.answer($0, $1, $2) }) { gateway in
        #expect(try await enroll(try wishes(), in: path, at: gateway) == .done)
        let key = try usable(path).leaf.publicKey
        #expect(try await enroll(try wishes(), in: path, at: gateway) == .done)
        #expect(try usable(path).leaf.publicKey == key)
        #expect(try await enroll(try wishes { $0.newKey = true }, in: path, at: gateway) == .done)
        #expect(try usable(path).leaf.publicKey != key)
      }
      let csrs = await scheduler.csrs
      #expect(csrs.count == 3 && csrs[0] == csrs[1] && csrs[1] != csrs[2])
    }
  }

  @Test("one that stays renews when it is told, with a new key, and runs the hook for each certificate")
  func renewal() async throws {
    let scheduler = try TestScheduler(renews: true)
    try await withFolder { path in
      let hook = InstallHook(command: "echo \"$ACME_DEVICE_FINGERPRINT\" >> '\(path)/hooked'") { _ in }
      let said = NIOLockedValueBox(0)
      try await TestGateway.serving({ try await scheduler.answer($0, $1, $2) }) { gateway in
        let confirmed = AsyncStream.makeStream(of: Void.self)
        await withThrowingTaskGroup(of: Void.self) { tasks in
          tasks.addTask {
            _ = try await enroll(
              try wishes {
                $0.stays = true
                $0.timeLimit = nil
              }, in: path, at: gateway, hook: hook
            ) { line in
              let count = said.withLockedValue {
                if line.hasSuffix("the connector knows that it is in use") { $0 += 1 }
                return $0
              }
              if count == 2 { confirmed.continuation.finish() }
            }
          }
          for await _ in confirmed.stream {}
          tasks.cancelAll()
        }
      }
      let receipts = await scheduler.receipts
      #expect(receipts.count == 2 && receipts[0] != receipts[1])
      #expect(await scheduler.answersToRenewal == 1)
      #expect(try usable(path).leaf.fingerprint == receipts[1])
      #expect(text(of: "\(path)/hooked") == receipts.map { "\($0)\n" }.joined())
    }
  }

  @Test("a wrong password is told in one sentence, at once")
  func wrongPassword() async throws {
    let scheduler = try TestScheduler()
    try await withFolder { path in
      let outcome = try await TestGateway.serving({ try await scheduler.answer($0, $1, $2) }) {
        try await enroll(try wishes(), in: path, at: $0, password: "wrong")
      }
      #expect(outcome == .failed("The connector has refused the login: the password or the domain is wrong, or the login has ended."))
    }
  }

  @Test("a hook that fails fails the run, and the next run runs it again for the same certificate")
  func hookFails() async throws {
    let scheduler = try TestScheduler()
    try await withFolder { path in
      try await TestGateway.serving({ try await scheduler.answer($0, $1, $2) }) { gateway in
        let failing = InstallHook(command: "exit 1") { _ in }
        guard case .failed = try await enroll(try wishes(), in: path, at: gateway, hook: failing) else {
          Issue.record("the run did not fail")
          return
        }
        let working = InstallHook(command: "touch '\(path)/hooked'") { _ in }
        #expect(try await enroll(try wishes(), in: path, at: gateway, hook: working) == .done)
      }
      #expect(text(of: "\(path)/hooked") != nil)
      #expect(await scheduler.csrs.count == 1)
    }
  }
}

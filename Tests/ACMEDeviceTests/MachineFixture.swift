import AppWebsocket
import FoundationEssentials
import PKI
import Testing

@testable import ACMEDeviceCommand

/// What the machine's tests are about: one request, its certificate, and a certificate from before.
struct MachineFixture {
  let authority: TestAuthority
  let wishes: DeviceMachine.Wishes
  let id: ShortText
  let request: CertificateRequest
  let chain: CertificateChain
  /// An older certificate, still valid.
  let old: InstalledCertificate
  let now = Instant(milliseconds: 1_800_000_000_000)

  init(stays: Bool = false, newKey: Bool = false) throws {
    authority = try TestAuthority()
    var wishes = DeviceMachine.Wishes(names: try names("a.example", "b.example"), hardwareID: try #require(ShortText("device")))
    wishes.stays = stays
    wishes.newKey = newKey
    self.wishes = wishes
    id = try #require(ShortText("request-1"))
    let key = try SigningKey(.p256)
    let csr = try key.signingRequest(for: wishes.names)
    request = CertificateRequest(csr: csr, slot: .defaultSlot)
    chain = try authority.issue(csr)
    old = InstalledCertificate(chain: try authority.issue(csr))
  }

  /// The request as the connector knows it.
  var known: CertificateRequest {
    var request = request
    request.id = id
    return request
  }

  /// The request with its certificate.
  var delivered: CertificateRequest {
    var request = known
    request.stage = .delivered(chain, installAt: now)
    return request
  }

  var installed: InstalledCertificate { InstalledCertificate(chain: chain, request: delivered) }
  var ready: CertificateReady { ready(chain) }

  func ready(_ chain: CertificateChain) -> CertificateReady {
    CertificateReady(
      id: id, slot: .defaultSlot, certificate: chain.pem, notBefore: chain.leaf.notBefore, notAfter: chain.leaf.notAfter,
      fingerprint: chain.leaf.fingerprint, installAt: now)
  }

  var registered: ConnectorMessage {
    .registerDeviceResult(
      .init(renewDays: 30, installDays: 10, maxDnsNames: 100, pin: SubjectPublicKeyPin(of: [1]), serverTime: now))
  }

  /// The older certificate, as a request with this CSR brought it.
  func old(of request: CertificateRequest) -> InstalledCertificate { InstalledCertificate(chain: old.chain, request: request) }

  /// A device that finds this on its disk; it wants what the fixture says unless something else is said.
  func device(_ wishes: DeviceMachine.Wishes? = nil, request: CertificateRequest? = nil, installed: InstalledCertificate? = nil) -> TestDevice {
    TestDevice(machine: DeviceMachine(wishes ?? self.wishes, request: request, installed: installed), now: now, registration: registered)
  }
}

/// A machine with its clock, and random numbers that are always the same.
struct TestDevice {
  private var machine: DeviceMachine
  private var generator = FixedGenerator()
  private let registration: ConnectorMessage
  var now: Instant

  init(machine: DeviceMachine, now: Instant, registration: ConnectorMessage) {
    self.machine = machine
    self.now = now
    self.registration = registration
  }

  mutating func handle(_ event: DeviceEvent) -> [DeviceAction] {
    machine.handle(event, now: now, using: &generator)
  }

  /// Starts, logs in and registers; returns what follows.
  mutating func registered() -> [DeviceAction] {
    _ = handle(.started)
    _ = handle(.loggedIn)
    return handle(.received(registration, .none))
  }
}

struct FixedGenerator: RandomNumberGenerator {
  private var state: UInt64 = 1

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state
  }
}

extension [DeviceAction] {
  /// The messages that are sent.
  var messages: [String] {
    compactMap { if case .send(let text) = $0 { text } else { nil } }
  }

  /// The names of the messages that are sent.
  var sent: [String] {
    messages.map { (try? Envelope($0).name.description) ?? "?" }
  }

  /// The sentence with which the run fails.
  var failure: String? {
    for case .finish(.failed(let sentence)) in self { return sentence }
    return nil
  }
}

import AppWebsocket
import PKI
import Testing

@testable import ACMEDeviceCommand

@Suite("What a device does that stays connected")
struct DaemonMachineTests {
  private let fixture: MachineFixture

  init() throws {
    fixture = try MachineFixture(stays: true)
  }

  private var renewal: RenewCertificate { RenewCertificate(slot: .defaultSlot, dnsNames: fixture.wishes.names, reason: .due) }

  @Test("with a valid certificate it asks for nothing by itself")
  func quiet() {
    var device = fixture.device(installed: fixture.installed)
    #expect(device.registered().sent.isEmpty)
  }

  @Test("it tells which certificate it has when it registers")
  func registration() {
    var device = fixture.device(installed: fixture.installed)
    _ = device.handle(.started)
    #expect(device.handle(.loggedIn).messages[0].contains("BEGIN CERTIFICATE"))
  }

  @Test("when the connector wants a new CSR it says yes and makes one that replaces the certificate in use")
  func renew() {
    var device = fixture.device(installed: fixture.installed)
    _ = device.registered()
    let actions = device.handle(.received(.renewCertificate(renewal), .none))
    #expect(actions.messages == [RenewCertificateResult(slot: .defaultSlot, accepted: true).text])
    #expect(actions.contains(.makeRequest(replacing: fixture.chain.leaf.fingerprint, newKey: false, isForced: false)))
    #expect(device.handle(.received(.renewCertificate(renewal), .none)).sent == ["RenewCertificateResult"])
  }

  @Test("one that is to make new keys makes one for each renewal, not for each connection")
  func newKeyForEachRenewal() throws {
    let fixture = try MachineFixture(stays: true, newKey: true)
    var device = fixture.device(installed: fixture.installed)
    #expect(device.registered().sent.isEmpty)
    let actions = device.handle(.received(.renewCertificate(renewal), .none))
    #expect(actions.contains(.makeRequest(replacing: fixture.chain.leaf.fingerprint, newKey: true, isForced: false)))
  }

  @Test("a compromised key is replaced, even if a request with it is under way")
  func keyCompromise() {
    var device = fixture.device(request: fixture.known, installed: fixture.installed)
    _ = device.registered()
    var wish = renewal
    wish.reason = .keyCompromise
    #expect(
      device.handle(.received(.renewCertificate(wish), .none))
        .contains(.makeRequest(replacing: fixture.chain.leaf.fingerprint, newKey: true, isForced: false)))
  }

  @Test("another slot is not its business")
  func otherSlot() throws {
    var device = fixture.device(installed: fixture.installed)
    _ = device.registered()
    let slot = try #require(ShortText("other"))
    let actions = device.handle(.received(.renewCertificate(RenewCertificate(slot: slot, dnsNames: [], reason: .due)), .none))
    #expect(actions.messages == [RenewCertificateResult(slot: slot, accepted: false, error: .notFound).text])
  }

  @Test("a new certificate waits for its time while the old one serves, and is installed then")
  func installAt() {
    let later = fixture.now + .seconds(86400)
    var device = fixture.device(request: fixture.known, installed: fixture.old)
    _ = device.registered()
    var ready = fixture.ready
    ready.installAt = later
    let actions = device.handle(.received(.certificateReady(ready), .none))
    #expect(actions.contains(.wake(.install, at: later)))
    device.now = later
    #expect(device.handle(.fired(.install)).contains { if case .install = $0 { true } else { false } })
  }

  @Test("where no valid certificate is in use, a new one does not wait")
  func installAtOnce() {
    var device = fixture.device(request: fixture.known)
    _ = device.registered()
    var ready = fixture.ready
    ready.installAt = fixture.now + .seconds(86400)
    #expect(device.handle(.received(.certificateReady(ready), .none)).contains { if case .install = $0 { true } else { false } })
  }

  @Test("a certificate that an administrator had made anew for the CSR it has is installed too, under whatever id")
  func obtainedAnew() throws {
    var device = fixture.device(installed: fixture.installed)
    _ = device.registered()
    var ready = fixture.ready(try fixture.authority.issue(fixture.request.csr))
    ready.id = try #require(ShortText("request-2"))
    let actions = device.handle(.received(.certificateReady(ready), .none))
    #expect(actions.contains { if case .install(let request) = $0 { request.id == ready.id } else { false } })
  }

  @Test("a certificate for a key that it does not have is refused, and nothing changes")
  func notItsKey() throws {
    var device = fixture.device(installed: fixture.installed)
    _ = device.registered()
    let chain = try fixture.authority.issue(try SigningKey(.p256).signingRequest(for: fixture.wishes.names))
    let actions = device.handle(.received(.certificateReady(fixture.ready(chain)), .none))
    #expect(actions.sent == ["CertificateInstallFailed"] && actions.count == 2)
  }

  @Test("one that may not register keeps its request, and asks again after an hour")
  func registrationRefused() {
    var device = fixture.device(request: fixture.known)
    _ = device.handle(.started)
    _ = device.handle(.loggedIn)
    let actions = device.handle(.received(.refusal(Refusal(of: RegisterDevice.name, .notAllowed, "No.")), .none))
    #expect(!actions.contains(.forgetRequest) && actions.contains(.start(.retry, after: .seconds(3600))))
    #expect(device.handle(.fired(.retry)).sent == ["RegisterDevice"])
    #expect(device.handle(.received(fixture.registered, .none)).sent == ["GetCertificate"])
  }

  @Test("a failure that is final is no end: it tries anew after an hour")
  func staysAfterFailure() {
    var device = fixture.device(request: fixture.known)
    _ = device.registered()
    let report = CertificateFailed(id: fixture.id, slot: .defaultSlot, error: .caaForbids, errorText: "No.", final: true)
    let actions = device.handle(.received(.certificateFailed(report), .none))
    #expect(actions.contains(.forgetRequest) && actions.contains(.start(.retry, after: .seconds(3600))))
    #expect(device.handle(.fired(.retry)) == [.makeRequest(replacing: nil, newKey: false, isForced: false)])
  }
}

@Suite("How a device connects again")
struct ReconnectTests {
  private let fixture: MachineFixture

  init() throws {
    fixture = try MachineFixture()
  }

  private func pause(_ actions: [DeviceAction]) -> Duration? {
    for case .start(.reconnect, let pause) in actions { return pause }
    return nil
  }

  @Test("the pauses grow until a login succeeds, and then begin anew")
  func pauses() throws {
    var device = fixture.device()
    _ = device.handle(.started)
    var last = Duration.zero
    for _ in 1...8 {
      last = try #require(pause(device.handle(.disconnected(.closed(code: nil)))))
      #expect(device.handle(.fired(.reconnect)) == [.connect])
    }
    #expect((.seconds(30) ... .seconds(60)).contains(last))
    _ = device.handle(.loggedIn)
    #expect(try #require(pause(device.handle(.disconnected(.closed(code: nil))))) <= .seconds(1))
  }

  @Test("a connector that restarts is reconnected at once, but not one that says so before the login")
  func restarting() throws {
    var device = fixture.device()
    _ = device.registered()
    #expect(pause(device.handle(.disconnected(.closed(code: 1001)))) == .zero)
    _ = device.handle(.fired(.reconnect))
    #expect(try #require(pause(device.handle(.disconnected(.closed(code: 1001))))) > .zero)
  }

  @Test("a twin with the same identity is left alone: a run ends, a daemon comes back much later")
  func twin() throws {
    var daemon = try MachineFixture(stays: true).device()
    _ = daemon.registered()
    #expect(pause(daemon.handle(.disconnected(.replaced))) == DeviceMachine.pauseForTwin)
    var run = fixture.device()
    _ = run.registered()
    #expect(run.handle(.disconnected(.replaced)).failure?.contains("--hardware-id") == true)
  }

  @Test("a wrong password ends the run, but not that of a device that had been logged in")
  func wrongPassword() {
    var device = fixture.device()
    _ = device.handle(.started)
    #expect(device.handle(.loginRefused(.loginRefused, retryAfter: nil)).failure != nil)
    var other = fixture.device()
    _ = other.registered()
    _ = other.handle(.disconnected(.closed(code: 1001)))
    _ = other.handle(.fired(.reconnect))
    let actions = other.handle(.loginRefused(.loginRefused, retryAfter: nil))
    #expect(actions.failure == nil && pause(actions) != nil)
    #expect(other.handle(.disconnected(.closed(code: 1008))).isEmpty)
  }

  @Test("a login that is blocked waits as long as it is told")
  func blocked() throws {
    var device = fixture.device()
    _ = device.handle(.started)
    #expect(try #require(pause(device.handle(.loginRefused(.loginBlocked, retryAfter: .seconds(90))))) == .seconds(90))
  }

  @Test("a connector with another key than the pinned one is no case for patience")
  func wrongKey() throws {
    var device = fixture.device()
    _ = device.handle(.started)
    let url = try #require(ConnectorURL("wss://host.example"))
    let end = ConnectionEnd.failed(.wrongKey(SubjectPublicKeyPin(of: [1]), at: url))
    #expect(device.handle(.disconnected(end)).failure?.contains("not the pinned one") == true)
  }
}

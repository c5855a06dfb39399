import AppWebsocket
import PKI
import Testing

@testable import ACMEDeviceCommand

@Suite("What a device does")
struct DeviceMachineTests {
  private let fixture: MachineFixture

  init() throws {
    fixture = try MachineFixture()
  }

  @Test("it registers, asks, installs and gives its receipt, and then it is done")
  func wholeWay() throws {
    var device = fixture.device()
    #expect(device.handle(.started) == [.connect])
    #expect(device.handle(.loggedIn).sent == ["RegisterDevice"])
    #expect(device.handle(.received(fixture.registered, .none)) == [.makeRequest(replacing: nil, newKey: false, isForced: false)])
    #expect(device.handle(.requestMade(fixture.request)).sent == ["RequestCertificate"])
    #expect(device.handle(.received(.requestCertificateResult(.init(id: fixture.id, state: .queued)), .none)).contains(.store(fixture.known)))
    #expect(device.handle(.received(.certificateReady(fixture.ready), .none)).contains(.install(fixture.delivered)))
    #expect(device.handle(.installed(fixture.installed)).sent == ["CertificateInstalled"])
    #expect(device.handle(.received(.certificateInstalledResult(.init()), .none)) == [.forgetRequest, .finish(.done)])
  }

  @Test("who wants another key than that of a valid certificate has it ordered now, and not when that is due")
  func anotherKey() throws {
    let fixture = try MachineFixture(newKey: true)
    var device = fixture.device(installed: fixture.installed)
    #expect(device.registered() == [.makeRequest(replacing: fixture.chain.leaf.fingerprint, newKey: true, isForced: true)])
  }

  @Test("an interrupted request is taken up by its id, not made anew")
  func takenUp() {
    var device = fixture.device(request: fixture.known)
    let actions = device.registered()
    #expect(actions.messages == [GetCertificate(.id(fixture.id)).text])
  }

  @Test("a request of an earlier run for something else is given up, however far it came", arguments: [false, true])
  func somethingElse(isDelivered: Bool) throws {
    let request = isDelivered ? fixture.delivered : fixture.known
    var others = Array(repeating: fixture.wishes, count: 4)
    others[0].names = try names("c.example")
    others[1].slot = try #require(ShortText("web"))
    others[2].keyKind = .rsa2048
    others[3].newKey = true
    // The last one wants a key that is not the one in use, which is that of the request.
    for (wishes, installed) in zip(others, [nil, nil, nil, fixture.old(of: request)]) {
      var device = fixture.device(wishes, request: request, installed: installed)
      #expect(device.handle(.started).contains(.forgetRequest))
      _ = device.handle(.loggedIn)
      let actions = device.handle(.received(fixture.registered, .none))
      #expect(actions.contains { if case .makeRequest = $0 { true } else { false } })
    }
  }

  @Test("a request with a new key is taken up by the next run that wants one, not made anew")
  func newKeyTakenUp() throws {
    var wishes = fixture.wishes
    wishes.newKey = true
    var device = fixture.device(wishes, request: fixture.known)
    #expect(device.registered().sent == ["GetCertificate"])
  }

  @Test("a request whose acceptance was never heard is looked for by the hash of its CSR")
  func takenUpByHash() {
    var device = fixture.device(request: fixture.request)
    #expect(device.registered().messages == [GetCertificate(.csrHash(fixture.request.csr.hash)).text])
  }

  @Test("a request that the connector has lost is handed in again, the same CSR")
  func lost() {
    var device = fixture.device(request: fixture.known)
    _ = device.registered()
    let actions = device.handle(.received(.refusal(Refusal(of: GetCertificate.name, .notFound, "")), .none))
    #expect(actions.messages == [fixture.request.message.text])
  }

  @Test("a certificate that was delivered before the kill is installed before anything else")
  func deliveredBefore() {
    var device = fixture.device(request: fixture.delivered)
    #expect(device.handle(.started) == [.install(fixture.delivered), .connect])
  }

  @Test("a receipt that was not heard is given again")
  func receiptAgain() {
    var request = fixture.delivered
    request.stage = .installed(fixture.chain.leaf.fingerprint)
    var device = fixture.device(request: request, installed: fixture.installed)
    #expect(device.registered().sent == ["CertificateInstalled"])
  }

  @Test("a second run with the key of the first hands in the same CSR, and takes the certificate at hand for the answer")
  func again() {
    var device = fixture.device(installed: fixture.installed)
    #expect(device.registered().messages == [fixture.request.message.text])
    #expect(device.handle(.received(.requestCertificateResult(.init(id: fixture.id, state: .installed)), .none)).sent == ["GetCertificate"])
    let result = GetCertificateResult(id: fixture.id, state: .installed, outcome: .ready(fixture.ready))
    let actions = device.handle(.received(.getCertificateResult(result), .none))
    #expect(!actions.contains { if case .install = $0 { true } else { false } })
    #expect(actions.sent == ["CertificateInstalled"])
  }

  @Test("a certificate for another key, or without a name, is refused and the reason told", arguments: [true, false])
  func wrongCertificate(isForOtherKey: Bool) throws {
    let chain =
      try isForOtherKey
      ? fixture.authority.issue(try SigningKey(.p256).signingRequest(for: fixture.wishes.names))
      : fixture.authority.issue(fixture.request.csr, names: names("other.example"))
    var device = fixture.device(request: fixture.known)
    _ = device.registered()
    let actions = device.handle(.received(.certificateReady(fixture.ready(chain)), .none))
    #expect(actions.sent == ["CertificateInstallFailed"])
    #expect(actions.failure?.hasPrefix("The certificate that the connector sent is no use: ") == true)
  }

  @Test("a certificate of a request that is not its own is left alone")
  func foreign() throws {
    var device = fixture.device(request: fixture.known)
    _ = device.registered()
    var ready = fixture.ready
    ready.id = try #require(ShortText("other"))
    #expect(device.handle(.received(.certificateReady(ready), .none)).isEmpty)
  }

  @Test("a repeated delivery is installed once")
  func repeated() {
    var device = fixture.device(request: fixture.known)
    _ = device.registered()
    #expect(device.handle(.received(.certificateReady(fixture.ready), .none)).contains(.install(fixture.delivered)))
    #expect(device.handle(.received(.certificateReady(fixture.ready), .none)).isEmpty)
  }

  @Test("a hook that fails is reported, and the run has failed")
  func hookFails() {
    var device = fixture.device(request: fixture.delivered)
    _ = device.registered()
    let actions = device.handle(.failed(.install, "The install hook has failed."))
    #expect(actions.sent == ["CertificateInstallFailed"])
    #expect(actions.failure == "The install hook has failed.")
  }

  @Test("what cannot be put on disk ends the run")
  func diskFull() {
    var device = fixture.device()
    #expect(device.handle(.failed(.store, "The disk is full.")).failure == "The disk is full.")
  }

  @Test("a final failure ends the run with its sentence; one that passes is waited for, and told when the time is over")
  func failures() {
    var device = fixture.device(request: fixture.known)
    _ = device.registered()
    var report = CertificateFailed(
      id: fixture.id, slot: .defaultSlot, error: .nameUnreachable, errorText: "Nobody answers on port 80.", dns: fixture.wishes.names[0])
    #expect(device.handle(.received(.certificateFailed(report), .none)).failure == nil)
    #expect(
      device.handle(.fired(.timeout)).failure
        == "There is no certificate yet, and the time is over. a.example: Nobody answers on port 80. (nameUnreachable)")
    report.final = true
    let actions = device.handle(.received(.certificateFailed(report), .none))
    #expect(actions.failure == "a.example: Nobody answers on port 80. (nameUnreachable)")
    // The next run begins anew.
    #expect(actions.first == .forgetRequest)
  }

  @Test("a CSR that is refused for its key is made anew with another one")
  func newKeyRequired() {
    var device = fixture.device(request: fixture.known)
    _ = device.registered()
    let actions = device.handle(.received(.refusal(Refusal(of: RequestCertificate.name, .newKeyRequired, "Used up.")), .none))
    #expect(actions.contains(.makeRequest(replacing: nil, newKey: true, isForced: false)))
  }

  @Test("a name that another device holds is waited for, and is the reason if the time is over")
  func approval() {
    var device = fixture.device(request: fixture.request)
    _ = device.registered()
    _ = device.handle(.received(.requestCertificateResult(.init(id: fixture.id, state: .awaitingApproval)), .none))
    #expect(device.handle(.fired(.timeout)).failure?.contains("waiting for an administrator's approval") == true)
  }

  @Test("each state is told once")
  func toldOnce() {
    var device = fixture.device(request: fixture.known)
    _ = device.registered()
    let message = ConnectorMessage.certificateState(.init(id: fixture.id, state: .challenging, dns: fixture.wishes.names[0]))
    #expect(device.handle(.received(message, .none)) == [.say("validating a.example")])
    #expect(device.handle(.received(message, .none)).isEmpty)
  }

  @Test("a CSR that is not due ends a run that has a certificate, and is waited for where there is none")
  func notDue() {
    let result = ConnectorMessage.requestCertificateResult(.init(id: fixture.id, state: .notDue, dueAt: fixture.now))
    var device = fixture.device(installed: fixture.installed)
    _ = device.registered()
    #expect(device.handle(.received(result, .none)).contains(.finish(.done)))
    var other = fixture.device(request: fixture.request)
    _ = other.registered()
    #expect(!other.handle(.received(result, .none)).contains(.finish(.done)))
  }
}

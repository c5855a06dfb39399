import Foundation
import PKI
import Testing

@testable import AppWebsocket

/// A message and the text by which it is sent; both are the specification.
struct Specimen: Sendable, CustomTestStringConvertible {
  let message: any Message
  let text: String

  init(_ message: any Message, _ text: String) {
    self.message = message
    self.text = text
  }

  var testDescription: String { text }
}

@Suite("A message")
struct MessageTests {
  static let fingerprint = Fingerprint(of: Array("abc".utf8))
  static let pin = SubjectPublicKeyPin(of: Array("abc".utf8))
  static let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
  static let time = Instant(milliseconds: 1_767_225_600_123)
  static let id = ShortText(clipping: "01J")
  static let alarmCode = ShortText(clipping: "0x0024f004")
  static let token = ["x-1"].compactMap(ChallengeToken.init)[0]
  static let names = ["a.example.test", "b.example.test"].compactMap(DNSName.init)
  static let ready = CertificateReady(
    id: id, slot: .defaultSlot, certificate: "-----BEGIN\nx/y", notBefore: time, notAfter: time + .seconds(1), fingerprint: fingerprint,
    installAt: time)
  static let failed = CertificateFailed(
    id: id, slot: .defaultSlot, error: .challengeFailed, errorText: "No.", dns: names.first, acmeType: "urn:ietf:params:acme:error:dns",
    retryAfterSec: 60)
  static let settings = RegisterDeviceResult(
    renewDays: 30, installDays: 10, maxDnsNames: 100, rootsUrl: "https://h/roots.pem", pin: pin, serverTime: time)

  static let registration: RegisterDevice = {
    var device = RegisterDevice(hwId: ShortText(clipping: "009033460af2"), type: .gateway)
    device.product = "IP811"
    device.version = "14r1"
    device.name = "pbx"
    device.roles = [.pbx, .reverseProxy]
    device.dnsNames = ["*.example.test"]
    device.certificates = []
    device.challenge = .push
    device.clock = time
    return device
  }()

  static let specimens = [
    Specimen(KeepAlive(), #"{"mt":"KeepAlive"}"#),
    Specimen(CheckBuild(url: "https://h/a.htm"), #"{"mt":"CheckBuild","url":"https://h/a.htm"}"#),
    Specimen(CheckBuildResult(), #"{"mt":"CheckBuildResult"}"#),
    Specimen(AppInfo(app: "x"), #"{"mt":"AppInfo","app":"x"}"#),
    Specimen(AppInfoResult(app: "x", info: .init(hidden: true)), #"{"mt":"AppInfoResult","app":"x","info":{"hidden":true}}"#),
    Specimen(AppInfoResult(app: nil, info: .init()), #"{"mt":"AppInfoResult","info":{}}"#),
    Specimen(AppCheckLoginResult(ok: true), #"{"mt":"AppCheckLoginResult","ok":true}"#),
    Specimen(AppCheckLoginResult(ok: false), #"{"mt":"AppCheckLoginResult"}"#),
    Specimen(
      ChallengeAdded(dns: names[0], token: token, keyAuth: KeyAuthorization(token: token, thumbprint: "y")),
      #"{"mt":"ChallengeAdded","dns":"a.example.test","keyAuth":"x-1.y","path":"/.well-known/acme-challenge/x-1","token":"x-1"}"#),
    Specimen(ChallengeAddedResult(token: token), #"{"mt":"ChallengeAddedResult","token":"x-1"}"#),
    Specimen(ChallengeAddedResult(token: token, error: .busy), #"{"mt":"ChallengeAddedResult","error":"busy","token":"x-1"}"#),
    Specimen(ChallengeRemoved(dns: names[0], token: token), #"{"mt":"ChallengeRemoved","dns":"a.example.test","token":"x-1"}"#),
    Specimen(GetChallenge(host: "h:80", token: "?"), #"{"mt":"GetChallenge","host":"h:80","token":"?"}"#),
    Specimen(
      GetChallengeResult(KeyAuthorization(token: token, thumbprint: "y")), #"{"mt":"GetChallengeResult","found":true,"keyAuth":"x-1.y"}"#),
    Specimen(GetChallengeResult(nil), #"{"mt":"GetChallengeResult"}"#),
    Specimen(AppChallenge(), #"{"mt":"AppChallenge"}"#),
    Specimen(AppChallengeResult(challenge: Challenge(random: 1)), #"{"mt":"AppChallengeResult","challenge":"0000000000000001"}"#),
    Specimen(AppLoginResult.accepted(domain: "example.com"), #"{"mt":"AppLoginResult","domain":"example.com","ok":true}"#),
    Specimen(AppLoginResult.refused(.loginRefused, retryAfterSec: nil), #"{"mt":"AppLoginResult","error":"loginRefused","ok":false}"#),
    Specimen(
      AppLoginResult.refused(.loginBlocked, retryAfterSec: 5),
      #"{"mt":"AppLoginResult","error":"loginBlocked","ok":false,"retryAfterSec":5}"#),
    Specimen(RegisterDevice(), #"{"mt":"RegisterDevice","protocol":1}"#),
    Specimen(
      registration,
      #"{"mt":"RegisterDevice","certificates":[],"challenge":"push","clock":1767225600123,"dnsNames":["*.example.test"],"hwId":"009033460af2","#
        + #""name":"pbx","product":"IP811","protocol":1,"roles":["pbx","reverseProxy"],"type":"GW","version":"14r1"}"#),
    Specimen(settings, #"{"mt":"RegisterDeviceResult",\#(settingsText)}"#),
    Specimen(DeviceSettingsUpdated(settings), #"{"mt":"DeviceSettingsUpdated",\#(settingsText)}"#),
    Specimen(RequestCertificate(csr: "MII="), #"{"mt":"RequestCertificate","csr":"MII="}"#),
    Specimen(
      RequestCertificate(csr: "MII=", slot: .defaultSlot, dnsNames: ["a"], replaces: fingerprint, force: true),
      #"{"mt":"RequestCertificate","csr":"MII=","dnsNames":["a"],"force":true,"replaces":"\#(hex)","slot":"default"}"#),
    Specimen(RequestCertificateResult(id: id, state: .queued), #"{"mt":"RequestCertificateResult","id":"01J","state":"queued"}"#),
    Specimen(
      RequestCertificateResult(id: id, state: .notDue, dueAt: time),
      #"{"mt":"RequestCertificateResult","dueAt":1767225600123,"id":"01J","state":"notDue"}"#),
    Specimen(
      CertificateState(id: id, state: .challenging, dns: names.first),
      #"{"mt":"CertificateState","dns":"a.example.test","id":"01J","state":"challenging"}"#),
    Specimen(ready, #"{"mt":"CertificateReady",\#(readyText),"slot":"default"}"#),
    Specimen(failed, #"{"mt":"CertificateFailed",\#(failedText),"retryAfterSec":60,"slot":"default"}"#),
    Specimen(
      CertificateFailed(id: id, slot: .defaultSlot, error: .weakKey, errorText: "No.", final: true),
      #"{"mt":"CertificateFailed","error":"weakKey","errorText":"No.","final":true,"id":"01J","slot":"default"}"#),
    Specimen(GetCertificate(.id(id)), #"{"mt":"GetCertificate","id":"01J"}"#),
    Specimen(GetCertificate(.csrHash(fingerprint)), #"{"mt":"GetCertificate","csrHash":"\#(hex)"}"#),
    Specimen(GetCertificate(.slot(.defaultSlot)), #"{"mt":"GetCertificate","slot":"default"}"#),
    Specimen(
      GetCertificateResult(id: id, state: .notDue, dueAt: time), #"{"mt":"GetCertificateResult","dueAt":1767225600123,"id":"01J","state":"notDue"}"#),
    Specimen(
      GetCertificateResult(id: id, state: .ready, outcome: .ready(ready)),
      #"{"mt":"GetCertificateResult",\#(readyText),"slot":"default","state":"ready"}"#),
    Specimen(
      GetCertificateResult(id: id, state: .failed, outcome: .failed(failed)),
      #"{"mt":"GetCertificateResult",\#(failedText),"retryAfterSec":60,"slot":"default","state":"failed"}"#),
    Specimen(CertificateInstalled(id: id, fingerprint: fingerprint), #"{"mt":"CertificateInstalled","fingerprint":"\#(hex)","id":"01J"}"#),
    Specimen(CertificateInstalledResult(), #"{"mt":"CertificateInstalledResult"}"#),
    Specimen(CertificateInstallFailed(id: id, errorText: "Full."), #"{"mt":"CertificateInstallFailed","errorText":"Full.","id":"01J"}"#),
    Specimen(CertificateInstallFailedResult(), #"{"mt":"CertificateInstallFailedResult"}"#),
    Specimen(
      RenewCertificate(slot: .defaultSlot, dnsNames: names, reason: .due),
      #"{"mt":"RenewCertificate","dnsNames":["a.example.test","b.example.test"],"reason":"due","slot":"default"}"#),
    Specimen(
      RenewCertificate(slot: .defaultSlot, fingerprint: fingerprint, dnsNames: [], reason: .keyCompromise, newKey: true, deadline: time),
      #"{"mt":"RenewCertificate","deadline":1767225600123,"dnsNames":[],"fingerprint":"\#(hex)","newKey":true,"#
        + #""reason":"keyCompromise","slot":"default"}"#),
    Specimen(
      AlarmAdded(code: alarmCode, severity: 2, sentence: "No.", dns: names[0]),
      #"{"mt":"AlarmAdded","code":"0x0024f004","dns":"a.example.test","severity":2,"text":"No."}"#),
    Specimen(
      AlarmCleared(code: alarmCode, severity: 0, sentence: "No."), #"{"mt":"AlarmCleared","code":"0x0024f004","severity":0,"text":"No."}"#),
    Specimen(RenewCertificateResult(slot: .defaultSlot, accepted: true), #"{"mt":"RenewCertificateResult","accepted":true,"slot":"default"}"#),
    Specimen(
      RenewCertificateResult(slot: .defaultSlot, accepted: false, error: .busy), #"{"mt":"RenewCertificateResult","error":"busy","slot":"default"}"#),
  ]

  static func specimens(of types: [any Message.Type]) -> [Specimen] {
    specimens.filter { specimen in types.contains { $0 == type(of: specimen.message) } }
  }

  static let settingsText =
    #""installDays":10,"maxDnsNames":100,"pin":"\#(hex)","protocol":1,"renewDays":30,"rootsUrl":"https://h/roots.pem","serverTime":1767225600123"#
  static let readyText =
    #""certificate":"-----BEGIN\nx/y","fingerprint":"\#(hex)","id":"01J","installAt":1767225600123,"notAfter":1767225601123,"notBefore":1767225600123"#
  static let failedText =
    #""acmeType":"urn:ietf:params:acme:error:dns","dns":"a.example.test","error":"challengeFailed","errorText":"No.","id":"01J""#

  @Test("is written as its text, and its text is read as the message", arguments: specimens)
  func roundTrip(specimen: Specimen) throws {
    func check(_ message: some Message) throws {
      #expect(message.text == specimen.text)
      #expect(try type(of: message).init(from: Envelope(specimen.text)) == message)
    }
    try check(specimen.message)
  }

  @Test("is read with properties that are unknown, and with null for those that are absent")
  func unknownProperties() throws {
    let text = #"{"mt":"RequestCertificate","new":{"a":[1]},"csr":"MII=","slot":null,"force":null,"dnsNames":null}"#
    #expect(try RequestCertificate(from: Envelope(text)) == RequestCertificate(csr: "MII="))
  }

  @Test("echoes what ties it to a question, behind its name")
  func correlation() throws {
    let correlation = try #require(Correlation(src: "ä\"/", api: "x"))
    #expect(KeepAlive().text(correlation: correlation) == #"{"mt":"KeepAlive","src":"ä\"/","api":"x"}"#)
    #expect(try Envelope(CertificateState(id: Self.id, state: .ready).text(correlation: correlation)).correlation == correlation)
  }

  @Test("of a login is understood from servers that leave ok out, or say more")
  func foreignLoginResult() throws {
    #expect(try AppLoginResult(from: Envelope(#"{"mt":"AppLoginResult"}"#)) == .refused(.loginRefused, retryAfterSec: nil))
    #expect(try AppLoginResult(from: Envelope(#"{"mt":"AppLoginResult","error":"wrong password"}"#)) == .refused(.loginRefused, retryAfterSec: nil))
    #expect(try AppLoginResult(from: Envelope(#"{"mt":"AppLoginResult","error":7}"#)) == .refused(.loginRefused, retryAfterSec: nil))
    #expect(try AppLoginResult(from: Envelope(#"{"mt":"AppLoginResult","ok":true,"info":{}}"#)) == .accepted(domain: ""))
  }

  @Test("that asks for a request needs a key, and of several takes the most exact one")
  func keys() throws {
    #expect(throws: MessageError(.missingProperty, "")) { try GetCertificate(from: Envelope(#"{"mt":"GetCertificate"}"#)) }
    #expect(try GetCertificate(from: Envelope(#"{"mt":"GetCertificate","slot":"s","id":"i"}"#)).key == .id(ShortText(clipping: "i")))
  }
}

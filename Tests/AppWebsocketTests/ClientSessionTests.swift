import PKI
import Testing

@testable import AppWebsocket

@Suite("The client's session")
struct ClientSessionTests {
  let subject = LoginDigest.Subject(app: "le", sip: "009033460af2", dn: "pbx")

  func session() -> ClientSession { ClientSession(as: subject, info: RawJSON(#"{ "b":1 }"#), password: "pwd") }

  func loggedIn() -> ClientSession {
    var session = session()
    _ = session.handle(.connected)
    _ = session.handle(.received(#"{"mt":"AppChallengeResult","challenge":"0123456789abcdef"}"#))
    _ = session.handle(.received(#"{"mt":"AppLoginResult","ok":true,"domain":"example.com"}"#))
    return session
  }

  /// Hands what one end sends to the other until both are silent; returns what each did beside sending.
  func converse(
    _ client: inout ClientSession, _ server: inout ServerSession, verdict: (Login, Challenge) -> LoginVerdict
  ) -> (client: [ClientSession.Action], server: [ServerSession.Action]) {
    var done: (client: [ClientSession.Action], server: [ServerSession.Action]) = ([], [])
    var toClient: [ClientSession.Event] = [.connected]
    while !toClient.isEmpty {
      var toServer: [ServerSession.Event] = []
      for action in toClient.flatMap({ client.handle($0) }) {
        if case .send(let text) = action { toServer.append(.received(text)) } else { done.client.append(action) }
      }
      toClient = []
      while !toServer.isEmpty {
        for action in server.handle(toServer.removeFirst()) {
          switch action {
          case .send(let text): toClient.append(.received(text))
          case .verify(let login, let challenge): toServer.append(.verified(verdict(login, challenge)))
          default: done.server.append(action)
          }
        }
      }
    }
    return done
  }

  @Test("and the server's come to a login when both know the secret")
  func bothEnds() {
    var client = session()
    var server = ServerSession(challenge: Challenge(random: 99))
    let done = converse(&client, &server) { login, challenge in
      login.isProven(by: "pwd", challenge: challenge) ? .accepted(domain: "example.com") : .refused
    }
    #expect(done.client == [.loggedIn(domain: "example.com")])
    #expect(done.server.isEmpty)
    #expect(server.isLoggedIn)
  }

  @Test("and the server's come to a refusal when they know different ones")
  func bothEndsRefused() {
    var client = session()
    var server = ServerSession(challenge: Challenge(random: 99))
    let done = converse(&client, &server) { login, challenge in
      login.isProven(by: "other", challenge: challenge) ? .accepted(domain: "example.com") : .refused
    }
    #expect(done.client.first == .refused(.loginRefused, retryAfterSec: nil))
    #expect(done.client.count == 2)
    #expect(done.server.count == 1)
    #expect(!server.isLoggedIn)
  }

  @Test("tells when a blocked login may be tried again, and does nothing more on this connection")
  func blocked() {
    var session = session()
    _ = session.handle(.connected)
    _ = session.handle(.received(#"{"mt":"AppChallengeResult","challenge":"0123456789abcdef"}"#))
    let actions = session.handle(.received(#"{"mt":"AppLoginResult","ok":false,"error":"loginBlocked","retryAfterSec":30}"#))
    #expect(actions.first == .refused(.loginBlocked, retryAfterSec: 30))
    #expect(session.handle(.received(#"{"mt":"AppLoginResult","ok":true}"#)).isEmpty)
  }

  @Test("waits for each answer of the login, and passes over what comes in between")
  func order() {
    var session = session()
    #expect(session.handle(.connected) == [.send(#"{"mt":"AppChallenge"}"#)])
    #expect(session.handle(.connected).isEmpty)
    #expect(session.handle(.received(#"{"mt":"AppLoginResult","ok":true}"#)).isEmpty)
    #expect(session.handle(.received(#"{"mt":"CertificateInstalledResult"}"#)).isEmpty)
    #expect(session.handle(.received(#"{"mt":"KeepAlive"}"#)).isEmpty)
    #expect(session.handle(.received(#"{"mt":"AppChallengeResult","challenge":"0123456789abcdef"}"#)).count == 1)
    #expect(session.handle(.received(#"{"mt":"AppChallengeResult","challenge":"0123456789abcdef"}"#)).isEmpty)
  }

  @Test("takes the refusal of a challenge for one of the login")
  func refusedChallenge() {
    var session = session()
    _ = session.handle(.connected)
    #expect(session.handle(.received(#"{"mt":"AppChallengeResult","error":"busy"}"#)).first == .refused(.busy, retryAfterSec: nil))
  }

  @Test("delivers what the connector says, with what it echoes")
  func delivers() throws {
    var session = loggedIn()
    let state = CertificateState(id: MessageTests.id, state: .queued)
    let correlation = try #require(Correlation(src: "q"))
    #expect(session.handle(.received(state.text(correlation: correlation))) == [.deliver(.certificateState(state), correlation)])
    #expect(
      session.handle(.received(#"{"mt":"RequestCertificateResult","error":"weakKey","errorText":"No."}"#))
        == [.deliver(.refusal(Refusal(of: RequestCertificate.name, .weakKey, "No.")), .none)])
  }

  @Test("tells the failure of a request from the refusal of the question for it")
  func failureOrRefusal() {
    var session = loggedIn()
    let answer = GetCertificateResult(id: MessageTests.id, state: .failed, outcome: .failed(MessageTests.failed))
    #expect(session.handle(.received(answer.text)) == [.deliver(.getCertificateResult(answer), .none)])
    #expect(
      session.handle(.received(#"{"mt":"GetCertificateResult","error":"notFound","errorText":"No."}"#))
        == [.deliver(.refusal(Refusal(of: GetCertificate.name, .notFound, "No.")), .none)])
  }

  @Test(
    "delivers every message of the connector",
    arguments: MessageTests.specimens(of: [
      RegisterDeviceResult.self, DeviceSettingsUpdated.self, RequestCertificateResult.self, CertificateState.self, CertificateReady.self,
      CertificateFailed.self, GetCertificateResult.self, CertificateInstalledResult.self, CertificateInstallFailedResult.self, RenewCertificate.self,
      AlarmAdded.self, AlarmCleared.self,
    ]))
  func everyMessage(specimen: Specimen) {
    var session = loggedIn()
    guard case .deliver(let delivered, .none) = session.handle(.received(specimen.text)).first else {
      Issue.record("it is not delivered")
      return
    }
    if case .refusal = delivered { Issue.record("it is taken for a refusal") }
  }

  @Test("answers a question that it does not know, and no indication")
  func unknown() {
    var session = loggedIn()
    #expect(session.handle(.received(#"{"mt":"DoSomething"}"#)).count == 2)
    #expect(session.handle(.received(#"{"mt":"SomethingAdded"}"#)).count == 1)
  }

  @Test("outlives a message that it cannot read, and not one without an envelope")
  func unreadable() {
    var session = loggedIn()
    #expect(session.handle(.received(#"{"mt":"CertificateReady"}"#)).count == 1)
    #expect(session.handle(.received(#"{"mt":"CertificateInstalledResult"}"#)).count == 1)
    #expect(session.handle(.received("{")).count == 2)
    #expect(session.handle(.received(#"{"mt":"CertificateInstalledResult"}"#)).isEmpty)
  }

  @Test("comes again after pauses that double to a minute, each between its half and its whole, until a login succeeds")
  func pauses() {
    struct Fixed: RandomNumberGenerator {
      let value: UInt64
      func next() -> UInt64 { value }
    }
    func pauses(_ value: UInt64) -> [Duration] {
      var pause = ReconnectPause()
      var generator = Fixed(value: value)
      return (0..<8).map { _ in pause.take(using: &generator) }
    }
    let shortest = pauses(0)
    #expect(shortest == [0.5, 1, 2, 4, 8, 16, 30, 30].map { .seconds($0) })
    for (short, long) in zip(shortest, pauses(0x1F_FFFF_0000_0000)) {
      #expect(long > short && long < short * 2)
    }
    var pause = ReconnectPause()
    var generator = Fixed(value: 0)
    _ = (0..<5).map { _ in pause.take(using: &generator) }
    pause.reset()
    #expect(pause.take(using: &generator) == .seconds(0.5))
  }
}

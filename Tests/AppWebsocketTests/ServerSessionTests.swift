import PKI
import Testing

@testable import AppWebsocket

@Suite("The server's session")
struct ServerSessionTests {
  let challenge = Challenge(random: 0x0123_4567_89AB_CDEF)
  let login = #"{"mt":"AppLogin","src":"l","app":"le","sip":"009033460af2","digest":"00"}"#

  func session() -> ServerSession { ServerSession(challenge: challenge) }

  func loggedIn() -> ServerSession {
    var session = session()
    _ = session.handle(.received(#"{"mt":"AppChallenge"}"#))
    _ = session.handle(.received(login))
    _ = session.handle(.verified(.accepted(domain: "example.com")))
    return session
  }

  func closes(_ actions: [ServerSession.Action], _ code: CloseCode) -> Bool {
    if case .close(code, _) = actions.last { true } else { false }
  }

  @Test("leads from the challenge over the verdict to what the device wants")
  func wholeLogin() throws {
    var session = session()
    #expect(
      session.handle(.received(#"{"mt":"AppChallenge","src":"c","user":"x"}"#))
        == [.send(#"{"mt":"AppChallengeResult","src":"c","challenge":"0123456789abcdef"}"#)])
    #expect(session.handle(.received(login)) == [.verify(try Login(from: Envelope(login)), challenge)])
    #expect(!session.isLoggedIn)
    #expect(
      session.handle(.verified(.accepted(domain: "example.com")))
        == [.send(#"{"mt":"AppLoginResult","src":"l","domain":"example.com","ok":true}"#)])
    #expect(session.isLoggedIn)
    #expect(
      session.handle(.received(#"{"mt":"GetCertificate","src":"g","slot":"default"}"#))
        == [.deliver(.getCertificate(GetCertificate(.slot(.defaultSlot))), try #require(Correlation(src: "g")))])
  }

  @Test("tells a refused client so, and closes; whatever comes later counts for nothing")
  func refused() {
    var session = session()
    _ = session.handle(.received(#"{"mt":"AppChallenge"}"#))
    _ = session.handle(.received(login))
    let actions = session.handle(.verified(.refused))
    #expect(actions.first == .send(#"{"mt":"AppLoginResult","src":"l","error":"loginRefused","ok":false}"#))
    #expect(closes(actions, .refused))
    #expect(session.handle(.received(login)).isEmpty)
    #expect(session.handle(.verified(.accepted(domain: "x"))).isEmpty)
    #expect(!session.isLoggedIn)
  }

  @Test("tells a blocked client when it may try again, and closes")
  func blocked() {
    var session = session()
    _ = session.handle(.received(#"{"mt":"AppChallenge"}"#))
    _ = session.handle(.received(login))
    let actions = session.handle(.verified(.blocked(retryAfterSec: 30)))
    #expect(actions.first == .send(#"{"mt":"AppLoginResult","src":"l","error":"loginBlocked","ok":false,"retryAfterSec":30}"#))
    #expect(closes(actions, .refused))
  }

  @Test("gives one challenge to a connection, and one attempt with it")
  func oneAttempt() {
    var session = session()
    let first = session.handle(.received(#"{"mt":"AppChallenge"}"#))
    #expect(session.handle(.received(#"{"mt":"AppChallenge"}"#)) == first)
    _ = session.handle(.received(login))
    #expect(closes(session.handle(.received(login)), .refused))
    var other = self.session()
    _ = other.handle(.received(#"{"mt":"AppChallenge"}"#))
    _ = other.handle(.received(login))
    #expect(closes(other.handle(.received(#"{"mt":"AppChallenge"}"#)), .refused))
  }

  @Test(
    "closes on anything but the login before the login",
    arguments: [
      #"{"mt":"AppLogin","digest":"00"}"#, #"{"mt":"RegisterDevice","protocol":1}"#, #"{"mt":"AppInfo"}"#, #"{"mt":"PbxInfo"}"#,
      #"{"mt":"Whatever"}"#, "no JSON", "[]", "",
    ])
  func beforeLogin(text: String) {
    var session = session()
    #expect(closes(session.handle(.received(text)), .refused))
    #expect(session.handle(.received(#"{"mt":"AppChallenge"}"#)).isEmpty)
  }

  @Test("closes on a login that cannot be read")
  func unreadableLogin() {
    var session = session()
    _ = session.handle(.received(#"{"mt":"AppChallenge"}"#))
    #expect(closes(session.handle(.received(#"{"mt":"AppLogin","digest":7}"#)), .refused))
  }

  @Test("answers a page's question for its build, and a sign of life, before the login and after it")
  func alwaysAnswered() {
    for var session in [session(), loggedIn()] {
      #expect(session.handle(.received(#"{"mt":"CheckBuild","src":"b","url":"x"}"#)) == [.send(#"{"mt":"CheckBuildResult","src":"b"}"#)])
      #expect(session.handle(.received(#"{"mt":"KeepAlive"}"#)) == [.send(#"{"mt":"KeepAlive"}"#)])
    }
  }

  @Test("closes on messages that are too large or no JSON, logged in or not")
  func badMessages() {
    for session in [session(), loggedIn()] {
      var large = session
      #expect(closes(large.handle(.received(String(repeating: " ", count: Envelope.maximumSize + 1))), .tooLarge))
      var broken = session
      #expect(closes(broken.handle(.received("{")), .refused))
      #expect(broken.handle(.received(#"{"mt":"KeepAlive"}"#)).isEmpty)
    }
  }

  @Test("answers an unknown message so, and remarks the names of its properties")
  func unknownMessage() throws {
    var session = loggedIn()
    let actions = session.handle(.received(#"{"mt":"SubscribeNews","src":"u","secret":"geheim","a\nb":1}"#))
    #expect(actions.first == .remark(.unknown(try #require(MessageName("SubscribeNews")), properties: ["secret", "ab"])))
    guard case .send(let text) = actions.last else {
      Issue.record("nothing is sent")
      return
    }
    let envelope = try Envelope(text)
    #expect(envelope.correlation.src == "u")
    #expect(Refusal(envelope)?.error == .unknownMessage)
    #expect(!"\(actions)".contains("geheim"))
  }

  @Test("never answers answers and indications, which are remarked only")
  func neverAnswered() {
    var session = loggedIn()
    for name in ["PbxInfo", "FooResult", "FooAdded"] {
      let actions = session.handle(.received(#"{"mt":"\#(name)"}"#))
      #expect(actions.count == 1)
      guard case .remark(.unknown) = actions.first else {
        Issue.record("\(name) is not remarked")
        continue
      }
    }
    #expect(session.handle(.received(#"{"mt":"RenewCertificateResult","accepted":7}"#)).count == 1)
    #expect(session.handle(.received(#"{"mt":"RenewCertificateResult","slot":"s"}"#)).count == 1)
  }

  @Test(
    "answers a message that cannot be read with what is wrong with it",
    arguments: [
      (#"{"mt":"RequestCertificate","src":"q"}"#, ErrorToken.missingProperty),
      (#"{"mt":"RequestCertificate","src":"q","csr":7}"#, .badMessage),
      (#"{"mt":"RegisterDevice","src":"q","protocol":1,"challenge":7}"#, .badMessage),
    ])
  func unreadable(text: String, error: ErrorToken) throws {
    var session = loggedIn()
    guard case .send(let answer) = session.handle(.received(text)).last else {
      Issue.record("nothing is sent")
      return
    }
    let envelope = try Envelope(answer)
    #expect(Refusal(envelope)?.error == error)
    #expect(envelope.correlation.src == "q")
    #expect(session.isLoggedIn)
  }

  @Test("answers a second login with notAllowed, and stays logged in")
  func secondLogin() throws {
    var session = loggedIn()
    guard case .send(let answer) = session.handle(.received(login)).last else {
      Issue.record("nothing is sent")
      return
    }
    #expect(try Refusal(Envelope(answer))?.error == .notAllowed)
    #expect(session.isLoggedIn)
  }

  @Test(
    "delivers every message of a device",
    arguments: MessageTests.specimens(of: [
      RegisterDevice.self, RequestCertificate.self, GetCertificate.self, CertificateInstalled.self, CertificateInstallFailed.self,
      RenewCertificateResult.self, AppInfo.self,
    ]))
  func delivers(specimen: Specimen) {
    let message = specimen.message
    var session = loggedIn()
    guard case .deliver(let delivered, .none) = session.handle(.received(message.text)).first else {
      Issue.record("\(message) is not delivered")
      return
    }
    #expect(delivered.name == type(of: message).name)
  }
}

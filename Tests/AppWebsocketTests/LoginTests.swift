import Foundation
import PKI
import Testing

@testable import AppWebsocket

@Suite("A login")
struct LoginTests {
  /// The login's message as a client sends it, with `info` in exactly this text.
  func message(_ vector: Vectors.Login, info: String?, digest: String) throws -> Envelope {
    let fields = ["app": vector.app, "domain": vector.domain, "sip": vector.sip, "guid": vector.guid, "dn": vector.dn].filter { !$0.value.isEmpty }
    let rest = fields.map { "\"\($0)\":\(JSONText.quoted($1))" } + (info.map { ["\"info\":\($0)"] } ?? [])
    return try Envelope(#"{"mt":"AppLogin",\#((rest + ["\"digest\":\"\(digest)\""]).joined(separator: ","))}"#)
  }

  @Test("proves the secret by the digest of every vector", arguments: Vectors.all.digest)
  func vectors(vector: Vectors.Login) throws {
    let challenge = try #require(Challenge(vector.challenge))
    let subject = LoginDigest.Subject(app: vector.app, domain: vector.domain, sip: vector.sip, guid: vector.guid, dn: vector.dn)
    #expect(LoginDigest(subject, info: vector.info, challenge: challenge, password: vector.password).hex == vector.digest)

    for digest in [vector.digest, vector.digest.uppercased()] {
      let login = try Login(from: message(vector, info: vector.info, digest: digest))
      #expect(login.isProven(by: vector.password, challenge: challenge))
      #expect(!login.isProven(by: vector.password + "x", challenge: challenge))
      #expect(!login.isProven(by: vector.password, challenge: Challenge(random: 1)))
    }
  }

  @Test("there are vectors")
  func vectorsExist() {
    #expect(Vectors.all.digest.count == 7)
    #expect(Vectors.all.sessionKey.count == 1)
  }

  /// The text that is sent, and the text that the digest covers.
  static let infos = [
    (#"{ "b" : 1 ,\#n "a" : [ ] }"#, #"{ "b" : 1 ,\#n "a" : [ ] }"#),
    (#"{ "b" : 1 ,\#n "a" : [ ] }"#, #"{"b":1,"a":[]}"#),
    (#"{"url":"https:\/\/1.2.3.4\/x"}"#, #"{"url":"https:\/\/1.2.3.4\/x"}"#),
    (#"{"url":"https:\/\/1.2.3.4\/x"}"#, #"{"url":"https://1.2.3.4/x"}"#),
    (#"{"cn":"S\u00fcd \ud83d\ude00 \u003c\u0001"}"#, #"{"cn":"Süd 😀 <\u0001"}"#),
    (#"{"z":{"y":1.50,"x":-0e+1},"a":null}"#, #"{"z":{"y":1.50,"x":-0e+1},"a":null}"#),
  ]

  @Test("is proven when the digest covers info as it was sent, or as JSON.stringify writes it, in the order of the message", arguments: infos)
  func infoForms(sent: String, covered: String) throws {
    let challenge = Challenge(random: 7)
    let digest = LoginDigest(LoginDigest.Subject(app: "le"), info: covered, challenge: challenge, password: "pwd")
    let vector = Vectors.Login(
      source: "own", app: "le", domain: "", sip: "", guid: "", dn: "", challenge: challenge.description, password: "pwd", digest: digest.hex,
      info: sent)
    #expect(try Login(from: message(vector, info: sent, digest: digest.hex)).isProven(by: "pwd", challenge: challenge))
  }

  @Test("is not proven when info stands in another order than the digest covers, or is null and not absent")
  func infoOrder() throws {
    let challenge = Challenge(random: 7)
    let digest = LoginDigest(LoginDigest.Subject(), info: #"{"a":1,"b":2}"#, challenge: challenge, password: "pwd").hex
    let login = try Login(from: Envelope(#"{"mt":"AppLogin","info":{"b":2,"a":1},"digest":"\#(digest)"}"#))
    #expect(!login.isProven(by: "pwd", challenge: challenge))
    let absent = LoginDigest(LoginDigest.Subject(), info: nil, challenge: challenge, password: "pwd").hex
    #expect(try !Login(from: Envelope(#"{"mt":"AppLogin","info":null,"digest":"\#(absent)"}"#)).isProven(by: "pwd", challenge: challenge))
    #expect(try Login(from: Envelope(#"{"mt":"AppLogin","digest":"\#(absent)"}"#)).isProven(by: "pwd", challenge: challenge))
  }

  @Test("is not proven by what is no digest", arguments: ["", "a2", String(repeating: "g", count: 64), String(repeating: "0", count: 66)])
  func noDigest(text: String) throws {
    #expect(try !Login(from: Envelope(#"{"mt":"AppLogin","digest":"\#(text)"}"#)).isProven(by: "pwd", challenge: Challenge(random: 1)))
  }

  @Test("with more than 8 KiB of info is not read")
  func infoSize() throws {
    for (count, isRead) in [(Login.maximumInfoSize - 2, true), (Login.maximumInfoSize - 1, false)] {
      let envelope = try Envelope(#"{"mt":"AppLogin","info":"\#(String(repeating: "x", count: count))","digest":""}"#)
      #expect(((try? Login(from: envelope)) != nil) == isRead)
    }
  }

  @Test("that this end makes is proven at the other, and a session key in it is not passed on")
  func roundTrip() throws {
    let challenge = Challenge(random: 7)
    let subject = LoginDigest.Subject(app: "le", domain: "example.com", sip: "009033460af2", dn: "Gerät \"Süd\"")
    let login = Login(subject, info: RawJSON(#"{ "b":1, "a":2 }"#), challenge: challenge, password: "pwd")
    let read = try Login(from: Envelope(login.text))
    #expect(read == login)
    #expect(read.subject == subject)
    #expect(read.isProven(by: "pwd", challenge: challenge))
    let withKey = try Login(from: Envelope(#"{"mt":"AppLogin","digest":"x","key":"secret"}"#))
    #expect(!withKey.text.contains("secret"))
  }

  @Test("shows neither its digest nor what would break a line of the log")
  func description() {
    let subject = LoginDigest.Subject(app: "le", sip: "a\nb" + String(repeating: "c", count: 100))
    let login = Login(subject, challenge: Challenge(random: 7), password: "pwd")
    #expect("\(login)" == "login of app 'le', sip 'ab\(String(repeating: "c", count: 62))'")
    let session = ClientSession(as: login.subject, password: "geheim")
    #expect(!"\(session)".contains("geheim"))
  }

  @Test("gives both ends the session key of the vector", arguments: Vectors.all.sessionKey)
  func sessionKey(vector: Vectors.Key) throws {
    let key = try SessionKey(challenge: #require(Challenge(vector.challenge)), password: vector.password)
    #expect(key.hex == vector.key)
    #expect(!"\(key)".contains(vector.key))
  }

  @Test("has a challenge of 16 hexadecimal digits here, and of 16 characters at most elsewhere")
  func challenges() {
    #expect(Challenge(random: 0x0123_4567_89AB_CDEF).description == "0123456789abcdef")
    #expect(Challenge(random: 1).description == "0000000000000001")
    #expect(Challenge(random: .max).description == "ffffffffffffffff")
    #expect(Challenge("1234")?.description == "1234")
    for text in ["", "12345678901234567", "a b", "ä"] {
      #expect(Challenge(text) == nil)
    }
  }

  @Test("is checked for a page of the PBX Manager")
  func check() throws {
    let message = AppCheckLogin(app: "letsencrypt", domain: "example.com", challenge: try #require(Challenge("1234")), password: "pwd")
    let read = try AppCheckLogin(from: Envelope(message.text))
    #expect(read.isProven(by: "pwd"))
    #expect(!read.isProven(by: "pwe"))
  }
}

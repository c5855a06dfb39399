import AppWebsocket
import Testing

@testable import DeviceGateway

@Suite("A message in a trace") struct MessageTraceTests {
  @Test("shows what was said, and of what is secret or private only how long it is")
  func secrets() {
    let login = #"{"mt":"AppLogin","app":"a","sip":"00","digest":"a205299ed2ef2786c311e0be1b14db343f2cadd906a6ae7b564eee34bda5e9a1","info":{"x":1}}"#
    #expect("\(MessageTrace(login))" == #"AppLogin app="a" sip="00" digest=(66 bytes) info=(7 bytes)"#)
    let challenge = #"{"mt":"ChallengeAdded","dns":"a.example","token":"t","keyAuth":"t.thumbprint","path":"/x"}"#
    #expect("\(MessageTrace(challenge))" == #"ChallengeAdded dns="a.example" token=(3 bytes) keyAuth=(14 bytes) path="/x""#)
    let request = #"{"mt":"RequestCertificate","csr":"-----BEGIN CERTIFICATE REQUEST-----","slot":"web","force":true}"#
    #expect("\(MessageTrace(request))" == #"RequestCertificate csr=(37 bytes) slot="web" force=true"#)
  }

  @Test("shows no value of what nobody knows, and no end of what has none")
  func bounds() {
    #expect("\(MessageTrace(#"{"mt":"Strange","password":"pwd"}"#))" == "Strange password=(5 bytes)")
    #expect("\(MessageTrace("what?"))" == "(no message: 5 bytes)")
    let many = (0..<1_000).map { #""p\#($0)":1"# }.joined(separator: ",")
    #expect("\(MessageTrace(#"{"mt":"Many",\#(many)}"#))".hasSuffix("p39=(1 bytes) and 960 more"))
    let long = String(repeating: "x", count: 300)
    #expect("\(MessageTrace(#"{"mt":"Long","name":"\#(long)"}"#))" == "Long name=(302 bytes)")
  }
}

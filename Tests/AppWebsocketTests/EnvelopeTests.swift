import Foundation
import PKI
import Testing

@testable import AppWebsocket

@Suite("An envelope")
struct EnvelopeTests {
  @Test("has the name and what is echoed, wherever they stand, escaped or not")
  func head() throws {
    let envelope = try Envelope(#" { "x" : [ 1 , { "mt" : "no" } ] , "\u006dt" : "RegisterDevice" , "src" : "r\"1" , "api" : "A" } "#)
    #expect(envelope.name == RegisterDevice.name)
    #expect(envelope.correlation == Correlation(src: "r\"1", api: "A"))
    #expect(envelope["x"]?.text == #"[ 1 , { "mt" : "no" } ]"#)
    #expect(envelope["x"]?.canonical == #"[1,{"mt":"no"}]"#)
    #expect(envelope["y"] == nil)
    #expect(envelope.propertyNames == ["x"])
  }

  @Test(
    "is refused when it is no JSON object with a name",
    arguments: [
      "", "null", "[]", #""mt""#, #"{"mt":1}"#, #"{"mt":""}"#, #"{"mt":"a b"}"#, #"{"mt":"A","src":1}"#, #"{"mt":"A","api":[]}"#,
      #"{"mt":"A"}{}"#, #"{"mt":"A""#, #"{"mt":"A",}"#, #"{,"mt":"A"}"#, #"{"mt":"A" "b":1}"#, #"{mt:"A"}"#, #"{'mt':'A'}"#, #"{"mt":"A","x":}"#,
      #"{"mt":"A","x":01}"#, #"{"mt":"A","x":1.}"#, #"{"mt":"A","x":-}"#, #"{"mt":"A","x":1e}"#, #"{"mt":"A","x":NaN}"#, #"{"mt":"A","x":tru}"#,
      #"{"mt":"A","x":[1,]}"#, #"{"mt":"A","x":[1 2]}"#, #"{"mt":"A","x":[}"#, #"{"mt":"A","x":"\x"}"#, #"{"mt":"A","x":"\u12"}"#,
      #"{"mt":"A","x":"\ud800"}"#, #"{"mt":"A","x":"\ud800\u0041"}"#, #"{"mt":"A","x":"\udc00"}"#, "{\"mt\":\"A\",\"x\":\"\u{1}\"}",
      "{\"mt\":\"A\",\"x\":\"",
      #"{"mt":"A","x":"\"#, #"{"mt":"A","mt":"B"}"#, #"{"mt":"A","x":{"a":1,"\u0061":2}}"#, "\u{FEFF}{\"mt\":\"A\"}",
    ])
  func refuses(text: String) {
    #expect(throws: MessageError(.badMessage, "")) { try Envelope(text) }
  }

  @Test("is refused when it has no name")
  func nameless() {
    #expect(throws: MessageError(.missingProperty, "")) { try Envelope("{}") }
    #expect(throws: MessageError(.missingProperty, "")) { try Envelope(#"{"MT":"A","x":{"mt":"A"}}"#) }
  }

  @Test("is refused when it is larger than 64 kB, nested deeper than 32, or what is echoed is longer than 64 characters")
  func bounds() throws {
    func filled(to size: Int) -> String {
      let frame = #"{"mt":"A","x":""}"#
      return #"{"mt":"A","x":"\#(String(repeating: "x", count: size - frame.utf8.count))"}"#
    }
    #expect(try Envelope(filled(to: Envelope.maximumSize)).name == MessageName("A"))
    #expect(throws: MessageError(.tooLarge, "")) { try Envelope(filled(to: Envelope.maximumSize + 1)) }

    func nested(_ depth: Int) -> String {
      #"{"mt":"A","x":\#(String(repeating: "[", count: depth - 1))\#(String(repeating: "]", count: depth - 1))}"#
    }
    #expect(try Envelope(nested(32)).name == MessageName("A"))
    #expect(throws: MessageError(.badMessage, "")) { try Envelope(nested(33)) }
    #expect(throws: MessageError(.badMessage, "")) { try Envelope(nested(20_000)) }

    #expect(try Envelope(#"{"mt":"A","src":"\#(String(repeating: "ä", count: 64))"}"#).correlation.src?.count == 64)
    #expect(throws: MessageError(.badMessage, "")) { try Envelope(#"{"mt":"A","src":"\#(String(repeating: "ä", count: 65))"}"#) }
    #expect(throws: MessageError(.badMessage, "")) { try Envelope(#"{"mt":"\#(String(repeating: "A", count: 65))"}"#) }
  }

  @Test("is accepted in no form that another parser refuses, and its canonical form says the same")
  func mutations() throws {
    let original = Array(#"{"mt":"A","x":{"a":[1,-2.5e+3,true,null],"b\u00e4\n":"\ud83d\ude00"},"y":""}"#.utf8)
    let spare = Array(#"{}[]",:\u0-.e19 truefalsn"#.utf8)
    var accepted = 0
    for index in original.indices {
      for octet in spare {
        var replaced = original
        replaced[index] = octet
        let inserted = original[..<index] + [octet] + original[index...]
        for text in [replaced, Array(inserted)] {
          guard let scanner = try? JSONScanner(text) else { continue }
          accepted += 1
          let theirs = try JSONSerialization.jsonObject(with: Data(text)) as? NSDictionary
          let canonical = try JSONSerialization.jsonObject(with: Data(scanner.canonical)) as? NSDictionary
          #expect(theirs != nil && theirs == canonical, "\(String(decoding: text, as: UTF8.self))")
        }
      }
    }
    #expect(accepted > 500)
  }

  @Test("names the property that is missing or wrong, and not its value")
  func errors() throws {
    let missing = #expect(throws: MessageError(.missingProperty, "")) { try RequestCertificate(from: Envelope(#"{"mt":"RequestCertificate"}"#)) }
    #expect(missing?.text.contains("csr") == true)
    let wrong = #expect(throws: MessageError(.badMessage, "")) {
      try RequestCertificate(from: Envelope(#"{"mt":"RequestCertificate","csr":"geheim","dnsNames":["geheim",1]}"#))
    }
    #expect(wrong?.text.contains("dnsNames") == true)
    #expect(wrong?.text.contains("geheim") == false)
  }

  @Test(
    "is never answered when it is an answer or an indication, known or not",
    arguments: [
      ("PbxInfo", true), ("AppInfoResult", true), ("Result", true), ("AlarmAdded", true), ("DeviceSettingsUpdated", true), ("DeviceRemoved", true),
      ("UserInfo", true), ("RegisterDevice", false), ("GetAdded2", false), ("Whatever", false), ("InfoGet", false),
    ])
  func neverAnswered(name: String, expected: Bool) throws {
    #expect(try #require(MessageName(name)).isNeverAnswered == expected)
  }

  @Test("of an answer that is a refusal gives word and sentence, at either end")
  func refusal() throws {
    let refusal = Refusal(of: RegisterDevice.name, .retired, "The device \"a\" is retired.")
    let text = refusal.text(correlation: try #require(Correlation(src: "r", api: nil)))
    #expect(text == #"{"mt":"RegisterDeviceResult","src":"r","error":"retired","errorText":"The device \"a\" is retired."}"#)
    #expect(try Refusal(Envelope(text)) == refusal)
    #expect(try Refusal(Envelope(#"{"mt":"RegisterDeviceResult"}"#)) == nil)
    #expect(try Refusal(Envelope(#"{"mt":"CertificateFailed","error":"retired"}"#)) == nil)
    #expect(try Refusal(Envelope(#"{"mt":"AResult","error":"fromALaterVersion","errorText":"x"}"#))?.error == .internalError)
  }

  @Test("has an error word for every reason to refuse a CSR", arguments: SigningRequestRejection.Code.allCases)
  func rejections(code: SigningRequestRejection.Code) {
    #expect(ErrorToken(code).rawValue == code.rawValue)
  }

  @Test("holds short texts of one to 64 characters, and cuts this end's own")
  func shortTexts() {
    #expect(ShortText(String(repeating: "ä", count: 64)) != nil)
    for text in ["", "a\nb", "\u{0}", "\u{202E}a", "a\u{200B}", "a\u{2028}", String(repeating: "a", count: 65)] {
      #expect(ShortText(text) == nil)
    }
    #expect(ShortText(clipping: "a\nb").value == "ab")
    #expect(ShortText(clipping: String(repeating: "a", count: 65)).value.count == 64)
    #expect(ShortText(clipping: "").value == "-")
  }
}

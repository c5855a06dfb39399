import Foundation
import PKI
import Testing

@Suite("A DNS name")
struct DNSNameTests {
  @Test(
    "is what the DNS takes for one, in lower case and without the trailing dot",
    arguments: [
      ("pbx.example.com", "pbx.example.com"),
      ("PBX.Example.COM", "pbx.example.com"),
      ("pbx.example.com.", "pbx.example.com"),
      ("xn--gert-roa.example.com", "xn--gert-roa.example.com"),
      ("XN--gert-roa.example.com", "xn--gert-roa.example.com"),
      ("1.example.com", "1.example.com"),
      ("host", "host"),
      ("a-b--c.example", "a-b--c.example"),
      (String(repeating: "a", count: 63) + ".example.com", String(repeating: "a", count: 63) + ".example.com"),
    ])
  func accepts(text: String, value: String) {
    #expect(DNSName(text)?.value == value)
  }

  @Test(
    "is nothing else",
    arguments: [
      "", ".", "..", "a..b", ".example.com", "example.com..", "-a.example.com", "a-.example.com", "a_b.example.com", "*.example.com",
      "gerät.example.com", "a b.example.com", "example.com/", "example.com:443", "192.0.2.1", "1.2.3", "host.123", "2001:db8::1", "ab--c.example.com",
      "xn--.example.com", "a\u{0}.example.com", "ſ.example.com", "\u{212A}.example.com", String(repeating: "a", count: 64) + ".example.com",
    ])
  func refuses(text: String) {
    #expect(DNSName(text) == nil)
  }

  @Test("has at most 253 octets, the trailing dot not counted")
  func length() {
    let longest = Array(repeating: String(repeating: "a", count: 49), count: 5).joined(separator: ".") + ".aaa"
    #expect(longest.utf8.count == DNSName.maximumLength)
    #expect(DNSName(longest) != nil)
    #expect(DNSName(longest + ".") != nil)
    #expect(DNSName(longest + "a") == nil)
  }

  @Test("lies in its parents, and in no name that merely ends alike")
  func hierarchy() throws {
    let name = try #require(DNSName("a.b.example"))
    #expect(name.parent == DNSName("b.example"))
    #expect(name.parent?.parent?.parent == nil)
    #expect(name.isSubdomain(of: name))
    #expect(try name.isSubdomain(of: #require(DNSName("b.example"))))
    #expect(try !name.isSubdomain(of: #require(DNSName("x.example"))))
    #expect(try !#require(DNSName("ab.example")).isSubdomain(of: #require(DNSName("b.example"))))
  }

  @Test(
    "is public unless it has one label or lies in a zone set aside",
    arguments: [
      ("pbx.example.com", true), ("example.com", true), ("test.com", true), ("com", false), ("localhost", false), ("a.localhost", false),
      ("pbx.local", false), ("pbx.internal", false), ("pbx.home.arpa", false), ("home.arpa", false), ("1.in-addr.arpa", true), ("pbx.lan", false),
      ("pbx.invalid", false), ("pbx.example.test", false), ("pbx.example", false), ("a.onion", false),
    ])
  func publicity(text: String, isPublic: Bool) throws {
    #expect(try #require(DNSName(text)).isPublic == isPublic)
  }

  @Test("is one text in JSON, and is checked when it is read")
  func coding() throws {
    let names = try JSONDecoder().decode([DNSName].self, from: Data(#"["PBX.example.com."]"#.utf8))
    #expect(String(decoding: try JSONEncoder().encode(names), as: UTF8.self) == #"["pbx.example.com"]"#)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode([DNSName].self, from: Data(#"["a_b"]"#.utf8)) }
  }
}

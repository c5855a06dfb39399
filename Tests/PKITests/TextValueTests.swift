import Foundation
import PKI
import Testing

@Suite("Fingerprints, pins and base64url")
struct TextValueTests {
  /// SHA-256 of "abc" (FIPS 180-2, appendix B.1).
  let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

  @Test("a fingerprint and a pin are the SHA-256 in lowercase digits")
  func sha256() {
    #expect(Fingerprint(of: Array("abc".utf8)).hex == digest)
    #expect(SubjectPublicKeyPin(of: Array("abc".utf8)).description == digest)
    #expect(Fingerprint(hex: digest.uppercased()) == Fingerprint(of: Array("abc".utf8)))
  }

  @Test("no other text is a fingerprint", arguments: ["", "ba78", String(repeating: "g", count: 64), String(repeating: "a", count: 65)])
  func refuses(text: String) {
    #expect(Fingerprint(hex: text) == nil)
    #expect(SubjectPublicKeyPin(hex: text) == nil)
  }

  @Test("a fingerprint is checked when it is read from JSON")
  func coding() throws {
    #expect(try JSONDecoder().decode([Fingerprint].self, from: Data("[\"\(digest)\"]".utf8)) == [Fingerprint(of: Array("abc".utf8))])
    #expect(throws: DecodingError.self) { try JSONDecoder().decode([SubjectPublicKeyPin].self, from: Data(#"["abc"]"#.utf8)) }
  }

  @Test(
    "base64url is that of RFC 4648, without padding",
    arguments: [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"), ("foobar", "Zm9vYmFy")])
  func base64URL(plain: String, text: String) {
    #expect(Base64URL.encode(plain.utf8) == text)
    #expect(Base64URL.decode(text) == Array(plain.utf8))
  }

  @Test("base64url has the two characters that are safe in URLs, and every byte comes back")
  func base64URLAlphabet() {
    #expect(Base64URL.encode([0xFB, 0xFF, 0xBF]) == "-_-_")
    let all = Array(UInt8.min...UInt8.max)
    #expect(Base64URL.decode(Base64URL.encode(all)) == all)
  }

  @Test(
    "padding, other characters, impossible lengths and leftover bits are no base64url",
    arguments: ["Zg==", "Zm9v\n", "+/+/", "Z", "Zm9vY", "Zh", "Zm9", "ä"])
  func base64URLRefusals(text: String) {
    #expect(Base64URL.decode(text) == nil)
  }
}

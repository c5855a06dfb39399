import Foundation
import PKI
import SwiftASN1
import Testing
import X509

@Suite("A CSR")
struct SigningRequestTests {
  @Test(
    "of another implementation is read whole",
    arguments: [("rsa2048.pem", KeyKind.rsa2048), ("rsa4096.pem", .rsa4096), ("p384.pem", .p384)])
  func foreign(file: String, kind: KeyKind) throws {
    let request = try SigningRequest(resource(file))
    #expect(request.names == [DNSName("fixture.example.test")])
    #expect(request.keyKind == kind)
    #expect(try request.pem == resource(file))
    #expect(request.hash == Fingerprint(of: request.der))
  }

  @Test("is understood as PEM of any line form, as base64 of its DER, and as DER")
  func forms() throws {
    let request = try SigningRequest(resource("rsa2048.pem"))
    let base64 = Data(request.der).base64EncodedString()
    let lines = request.pem.replacingOccurrences(of: "\n", with: "\r\n")
    let oneLine = "-----BEGIN NEW CERTIFICATE REQUEST-----\n\(base64)\n-----END NEW CERTIFICATE REQUEST-----"
    let bare = lines.split(separator: "\r\n").dropFirst().dropLast().joined(separator: "\n")
    for text in [lines, oneLine, "Subject: whatever\n" + request.pem, base64, base64 + "\n", bare] {
      #expect(try SigningRequest(text) == request)
    }
    #expect(try SigningRequest(der: request.der) == request)
  }

  @Test(
    "is refused for a key that no public authority certifies",
    arguments: ["rsa1024.pem", "rsa-exponent3.pem", "rsa2560.pem", "p521.pem", "secp256k1.pem", "ed25519.pem"])
  func weakKeys(file: String) throws {
    #expect(throws: SigningRequestRejection(.weakKey, "")) { try SigningRequest(resource(file)) }
  }

  @Test("is refused for a signature that no public authority accepts", arguments: ["rsa-sha1.pem", "p256-sha1.pem", "rsa-pss.pem"])
  func weakSignatures(file: String) throws {
    #expect(throws: SigningRequestRejection(.badCsr, "")) { try SigningRequest(resource(file)) }
  }

  @Test("says what its key has signed: with any one bit changed it is refused, or still says the same", arguments: ["rsa2048.pem", "p384.pem"])
  func brokenSignature(file: String) throws {
    let request = try SigningRequest(resource(file))
    var refusals = 0
    for index in request.der.indices {
      var der = request.der
      der[index] ^= 1 << (index % 8)
      do {
        let changed = try SigningRequest(der: der)
        #expect(changed.names == request.names && changed.keyPin == request.keyPin)
      } catch {
        refusals += 1
      }
    }
    // The count of unused bits of an RSA signature is not looked at, where those bits are zero.
    #expect(refusals >= request.der.count - 1)
  }

  @Test(
    "is refused when it is no CSR",
    arguments: [
      "", "-", "AAAA", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----",
      "-----BEGIN CERTIFICATE REQUEST-----\nAAAA", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
      String(repeating: "A", count: 80_000),
    ])
  func noRequest(text: String) {
    #expect(throws: SigningRequestRejection(.badCsr, "")) { try SigningRequest(text) }
  }

  @Test("is refused when something follows it, or when two come at once")
  func trailing() throws {
    let request = try SigningRequest(resource("rsa2048.pem"))
    #expect(throws: SigningRequestRejection(.badCsr, "")) { try SigningRequest(der: request.der + [0]) }
    #expect(throws: SigningRequestRejection(.badCsr, "")) { try SigningRequest(request.pem + request.pem) }
    #expect(throws: SigningRequestRejection(.badCsr, "")) { try SigningRequest(der: Array(repeating: 0x30, count: 50_001)) }
  }

  @Test("asks for the union of common name and subject alternative names, each once, however it is written")
  func union() throws {
    let request = try SigningRequest(
      der: unusualRequest(commonNames: ["A.example.test"], .dnsName("b.example.test"), .dnsName("a.example.test"), .dnsName("B.EXAMPLE.test")))
    #expect(request.names.map(\.value) == ["a.example.test", "b.example.test"])
  }

  @Test("may have its name in the common name alone")
  func commonNameOnly() throws {
    #expect(try SigningRequest(der: unusualRequest(commonNames: ["a.example.test"])).names == [DNSName("a.example.test")])
  }

  @Test("with an empty common name asks for its subject alternative names")
  func emptyCommonName() throws {
    #expect(try SigningRequest(der: unusualRequest(commonNames: [""], .dnsName("a.example.test"))).names == [DNSName("a.example.test")])
  }

  static let refusals: [(SigningRequestRejection.Code, [String], [GeneralName])] = [
    (.noNames, [], []),
    (.invalidName, ["Jane Doe"], [.dnsName("a.example.test")]),
    (.invalidName, [], [.dnsName("a_b.example.test")]),
    (.invalidName, [], [.dnsName("a.example.test"), .dnsName("")]),
    (.invalidName, [], [.dnsName("192.0.2")]),
    (.invalidName, [], [.dnsName("a.example.test.")]),
    (.wildcardNotSupported, [], [.dnsName("*.example.test")]),
    (.wildcardNotSupported, ["*.example.test"], [.dnsName("a.example.test")]),
    (.ipNotSupported, [], [.ipAddress(ASN1OctetString(contentBytes: [192, 0, 2, 1]))]),
    (.ipNotSupported, ["192.0.2.1"], [.dnsName("a.example.test")]),
    (.ipNotSupported, ["2001:db8::1"], []),
    (.badCsr, [], [.dnsName("a.example.test"), .rfc822Name("a@example.test")]),
    (.badCsr, [], [.uniformResourceIdentifier("https://a.example.test")]),
  ]

  @Test("is refused for each name that is not to be had", arguments: refusals)
  func refusedNames(code: SigningRequestRejection.Code, commonNames: [String], names: [GeneralName]) throws {
    let der = try unusualRequest(commonNames: commonNames, names: names)
    #expect(throws: SigningRequestRejection(code, "")) { try SigningRequest(der: der) }
  }

  @Test("with a U-label is refused by that name, which the answer shows in ASCII")
  func unicodeLabel() throws {
    let der = try unusualRequest(rawName: Array("gerät.example.test".utf8))
    let error = #expect(throws: SigningRequestRejection.self) { try SigningRequest(der: der) }
    #expect(error?.code == .invalidName)
    #expect(error?.name == "ger??t.example.test")
  }

  @Test("may have 100 names, and no more")
  func hundredNames() throws {
    let names = (1...101).map { GeneralName.dnsName("n\($0).example.test") }
    #expect(try SigningRequest(der: unusualRequest(names: Array(names.dropLast()))).names.count == 100)
    #expect(throws: SigningRequestRejection(.tooManyNames, "")) { try SigningRequest(der: unusualRequest(names: names)) }
  }

  @Test("has exactly the names that came beside it, whatever their order and case")
  func sameNames() throws {
    let request = try SigningRequest(der: unusualRequest(.dnsName("a.example.test"), .dnsName("b.example.test")))
    try request.requireNames(exactly: ["B.example.test.", "a.example.test"])
    for names in [["a.example.test"], ["a.example.test", "b.example.test", "c.example.test"], ["a.example.test", "b_.example.test"], []] {
      #expect(throws: SigningRequestRejection(.namesMismatch, "")) { try request.requireNames(exactly: names) }
    }
  }
}

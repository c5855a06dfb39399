import Foundation
import PKI
import Testing

@Suite("A signing key")
struct SigningKeyTests {
  @Test("of each kind makes a CSR that is accepted, and is the same key after being written and read", arguments: KeyKind.allCases)
  func kinds(kind: KeyKind) throws {
    let key = try SigningKey(kind)
    let request = try key.signingRequest(for: [#require(DNSName("a.example.test")), #require(DNSName("b.example.test"))])
    #expect(request.keyKind == kind)
    #expect(request.names.map(\.value) == ["a.example.test", "b.example.test"])
    #expect(request.keyPin == key.keyPin)
    #expect(try SigningKey(pem: key.pem).publicKey == key.publicKey)
  }

  @Test("makes a CSR for a name that is too long for a common name, and for 100 names")
  func names() throws {
    let key = try SigningKey(.p256)
    let long = try #require(DNSName(String(repeating: "a", count: 63) + ".example.test"))
    #expect(try key.signingRequest(for: [long]).names == [long])
    let hundred = (1...100).compactMap { DNSName("n\($0).example.test") }
    #expect(try key.signingRequest(for: hundred).names == hundred)
    #expect(throws: SigningRequestRejection(.noNames, "")) { try key.signingRequest(for: []) }
  }

  @Test("signs a certificate for itself, which says what it was told to")
  func selfSigned() throws {
    let key = try SigningKey(.p256)
    let noon = Instant(milliseconds: 1_767_268_800_000)
    let certificate = try key.selfSignedCertificate(
      commonName: "Connector", names: [#require(DNSName("connector.example.test"))], notBefore: noon, notAfter: noon + .seconds(3600))
    #expect(certificate.keyPin == key.keyPin)
    #expect(certificate.names.map(\.value) == ["connector.example.test"])
    #expect(certificate.subjectCommonName == "Connector")
    #expect(certificate.notBefore == noon)
    #expect(certificate.notAfter == noon + .seconds(3600))
    #expect(try CertificateChain(pem: certificate.pem).leaf == certificate)
  }

  @Test("is read past EC parameters, as openssl writes them")
  func parameters() throws {
    let key = try SigningKey(.p256)
    #expect(try SigningKey(pem: "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + key.pem).keyPin == key.keyPin)
  }

  @Test("is refused when it cannot be read, and nothing of it stands in the reason")
  func refusals() throws {
    let broken = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"
    for pem in ["", broken, try resource("rsa2048.pem")] {
      let error = #expect(throws: PKIError(.malformed, "")) { try SigningKey(pem: pem) }
      #expect(error?.text.contains("c2VjcmV0") == false)
    }
  }

  @Test("is not shown by its description")
  func description() throws {
    let key = try SigningKey(.p256)
    #expect("\(key)" == "p256 \(key.keyPin)")
  }
}

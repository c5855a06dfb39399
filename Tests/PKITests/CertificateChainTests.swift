import Crypto
import Foundation
import SwiftASN1
import Testing
import X509

@testable import PKI

/// A small authority: a root, an intermediate, and certificates under it.
struct PrivateAuthority {
  let rootKey = Certificate.PrivateKey(P384.Signing.PrivateKey())
  let intermediateKey = Certificate.PrivateKey(P256.Signing.PrivateKey())
  let noon = Instant(milliseconds: 1_767_268_800_000)

  func root() throws -> String {
    try certificate(for: rootKey.publicKey, subject: "Root", issuer: "Root", by: rootKey, isAuthority: true)
  }

  func intermediate(isAuthority: Bool = true) throws -> String {
    try certificate(for: intermediateKey.publicKey, subject: "Intermediate", issuer: "Root", by: rootKey, isAuthority: isAuthority)
  }

  func leaf(
    for request: SigningRequest, names: [String]? = nil, issuer: String = "Intermediate", lifetime: Duration = .seconds(86_400)
  ) throws -> String {
    let key = try Certificate.PublicKey(derEncoded: request.publicKey)
    return try certificate(
      for: key, subject: "leaf", issuer: issuer, by: intermediateKey, names: names ?? request.names.map(\.value), lifetime: lifetime)
  }

  private func certificate(
    for key: Certificate.PublicKey, subject: String, issuer: String, by issuerKey: Certificate.PrivateKey,
    isAuthority: Bool = false, names: [String] = [], lifetime: Duration = .seconds(86_400)
  ) throws -> String {
    try Certificate(
      version: .v3, serialNumber: .init(bytes: [0xA0, 0x01]), publicKey: key,
      notValidBefore: noon.date, notValidAfter: (noon + lifetime).date,
      issuer: DistinguishedName { CommonName(issuer) }, subject: DistinguishedName { CommonName(subject) },
      extensions: Certificate.Extensions {
        Critical(isAuthority ? BasicConstraints.isCertificateAuthority(maxPathLength: nil) : .notCertificateAuthority)
        SubjectAlternativeNames(names.map { .dnsName($0) })
        AuthorityKeyIdentifier(keyIdentifier: [1, 2, 3])
      },
      issuerPrivateKey: issuerKey
    ).serializeAsPEM().pemString + "\n"
  }
}

@Suite("A certificate chain")
struct CertificateChainTests {
  let authority = PrivateAuthority()
  let key: SigningKey
  let request: SigningRequest

  init() throws {
    key = try SigningKey(.p256)
    request = try key.signingRequest(for: [#require(DNSName("a.example.test")), #require(DNSName("b.example.test"))])
  }

  @Test("shows what its leaf says")
  func properties() throws {
    let chain = try CertificateChain(pem: authority.leaf(for: request) + authority.intermediate())
    #expect(chain.leaf.names == request.names)
    #expect(chain.leaf.notBefore == authority.noon)
    #expect(chain.leaf.notAfter == authority.noon + .seconds(86_400))
    #expect(chain.leaf.serial == "a001")
    #expect(chain.leaf.issuerCommonName == "Intermediate")
    #expect(chain.leaf.subjectCommonName == "leaf")
    #expect(chain.leaf.keyPin == key.keyPin)
    #expect(chain.leaf.fingerprint == Fingerprint(of: chain.leaf.der))
    #expect(chain.issuers.map(\.subjectCommonName) == ["Intermediate"])
  }

  @Test("is what was asked for when it has the key and all names of the CSR")
  func matches() throws {
    try CertificateChain(pem: authority.leaf(for: request)).verify(against: request)
  }

  @Test("for another key, or without one of the names, is not what was asked for")
  func mismatches() throws {
    let other = try SigningKey(.p256).signingRequest(for: request.names)
    #expect(throws: PKIError(.keyMismatch, "")) { try CertificateChain(pem: authority.leaf(for: other)).verify(against: request) }
    let lesser = try CertificateChain(pem: authority.leaf(for: request, names: ["a.example.test"]))
    #expect(throws: PKIError(.nameMissing, "")) { try lesser.verify(against: request) }
  }

  @Test("finds the root that has signed it among those of a list, whatever else is in there")
  func rootAmong() throws {
    let chain = try CertificateChain(pem: authority.leaf(for: request) + authority.intermediate())
    let unreadable = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    let root = try authority.root()
    #expect(try chain.root(among: PrivateAuthority().root() + unreadable + authority.intermediate() + root)?.pem == root)
    #expect(chain.root(among: unreadable) == nil)
    #expect(try chain.root(among: PrivateAuthority().root()) == nil, "another root of the same name")
    #expect(chain.root(among: "-----BEGIN CERTIFICATE-----") == nil)
  }

  @Test("holds when each certificate is signed by the next, and a lone one holds too")
  func holds() throws {
    try CertificateChain(pem: authority.leaf(for: request) + authority.intermediate() + authority.root()).verifyItself()
    try CertificateChain(pem: authority.leaf(for: request)).verifyItself()
  }

  @Test("can be used from a day before its beginning, for clocks that differ, until its end")
  func time() throws {
    let chain = try CertificateChain(pem: authority.leaf(for: request, lifetime: .seconds(86_400)))
    for moment in [chain.leaf.notBefore - .seconds(86_400), chain.leaf.notAfter - .seconds(1)] { try chain.verifyTime(at: moment) }
    for moment in [chain.leaf.notBefore - .seconds(86_401), chain.leaf.notAfter] {
      #expect(throws: PKIError(.outOfTime, "")) { try chain.verifyTime(at: moment) }
    }
  }

  @Test("does not hold when a link is missing, is another's, may not sign, or has no time")
  func breaks() throws {
    let leaf = try authority.leaf(for: request)
    let stranger = PrivateAuthority()
    let chains = try [
      leaf + authority.root(),
      authority.intermediate() + leaf,
      leaf + stranger.intermediate(),
      leaf + authority.intermediate(isAuthority: false),
      authority.leaf(for: request, issuer: "Other") + authority.intermediate(),
      authority.leaf(for: request, lifetime: .zero),
    ]
    for pem in chains {
      #expect(throws: PKIError(.brokenChain, "")) { try CertificateChain(pem: pem).verifyItself() }
    }
  }

  @Test("is told from its alternates by the root it leads to, be that in it or not")
  func roots() throws {
    let withRoot = try CertificateChain(pem: authority.leaf(for: request) + authority.intermediate() + authority.root())
    #expect(withRoot.endsIn(rootCommonName: "Root"))
    #expect(withRoot.withoutRoot.endsIn(rootCommonName: "Root"))
    #expect(!withRoot.endsIn(rootCommonName: "Intermediate"))
    #expect(withRoot.withoutRoot.certificates == Array(withRoot.certificates.dropLast()))
    #expect(withRoot.withoutRoot.withoutRoot == withRoot.withoutRoot)
    let lone = try CertificateChain(pem: authority.root())
    #expect(lone.withoutRoot == lone)
  }

  @Test("is the same after being written and read")
  func roundTrip() throws {
    let chain = try CertificateChain(pem: authority.leaf(for: request) + authority.intermediate())
    #expect(try CertificateChain(pem: chain.pem) == chain)
  }

  @Test("is refused with any other PEM block in it, with none, and with more than ten")
  func refusals() throws {
    let leaf = try authority.leaf(for: request)
    #expect(throws: PKIError(.malformed, "")) { try CertificateChain(pem: leaf + request.pem) }
    #expect(throws: PKIError(.malformed, "")) { try CertificateChain(pem: key.pem) }
    #expect(throws: PKIError(.malformed, "")) { try CertificateChain(pem: "") }
    #expect(throws: PKIError(.malformed, "")) { try CertificateChain(pem: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----") }
    #expect(throws: PKIError(.tooLarge, "")) { try CertificateChain(pem: String(repeating: leaf, count: 11)) }
    #expect(throws: PKIError(.tooLarge, "")) { try CertificateChain(pem: String(repeating: "\n", count: 600_000)) }
  }

  @Test("names its certificate to the authority as RFC 9773 shows it, the zero octet of the serial number kept")
  func identifier() throws {
    let example = try CertificateChain(pem: resource("rfc9773-example.pem")).leaf
    #expect(example.identifier?.value == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE")
    #expect(try CertificateChain(pem: authority.leaf(for: request)).leaf.identifier?.value == "AQID.AKAB")
    #expect(CertificateIdentifier("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE") == example.identifier)
    for text in ["", "AQID", "AQID.", ".AKAB", "AQID.AKAB.", "AQ=.AKAB"] {
      #expect(CertificateIdentifier(text) == nil)
    }
  }
}

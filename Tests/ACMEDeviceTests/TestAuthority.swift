import Crypto
import FoundationEssentials
import PKI
import SwiftASN1
import Testing
import X509

@testable import ACMEDeviceCommand

/// A certificate authority that believes everything.
struct TestAuthority: Sendable {
  private let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
  private let name: DistinguishedName
  private let certificate: Certificate

  init() throws {
    name = try DistinguishedName { CommonName("Test CA") }
    certificate = try Certificate(
      version: .v3, serialNumber: .init(), publicKey: key.publicKey, notValidBefore: Self.start.date, notValidAfter: Self.end.date, issuer: name,
      subject: name, extensions: try Certificate.Extensions { Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil)) },
      issuerPrivateKey: key)
  }

  private static let start = Instant(milliseconds: 1_700_000_000_000)
  private static let end = Instant(milliseconds: 4_000_000_000_000)

  /// A certificate for what the CSR asks for, or for other names, and the authority's own.
  func issue(_ csr: SigningRequest, names: [DNSName]? = nil, notAfter: Instant = Self.end) throws -> CertificateChain {
    let request = try CertificateSigningRequest(derEncoded: csr.der)
    let leaf = try Certificate(
      version: .v3, serialNumber: .init(), publicKey: request.publicKey, notValidBefore: Self.start.date, notValidAfter: notAfter.date, issuer: name,
      subject: try DistinguishedName { CommonName("leaf") },
      extensions: try Certificate.Extensions {
        Critical(BasicConstraints.notCertificateAuthority)
        SubjectAlternativeNames((names ?? csr.names).map { .dnsName($0.value) })
      }, issuerPrivateKey: key)
    return try CertificateChain(pem: [leaf, certificate].map { try $0.serializeAsPEM().pemString + "\n" }.joined())
  }
}

/// The names that are asked for in the tests.
func names(_ texts: String...) throws -> [DNSName] { try texts.map { try #require(DNSName($0)) } }

/// An empty folder, gone after `body`.
func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
  let path = "/tmp/acme-device-\(UInt32.random(in: 0 ... .max))"
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try await body(path)
}

/// The text of a file, or nil if there is none.
func text(of path: String) -> String? {
  (try? Data(contentsOf: URL(filePath: path))).map { String(decoding: $0, as: UTF8.self) }
}

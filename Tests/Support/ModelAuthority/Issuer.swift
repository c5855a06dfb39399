import Crypto
import FoundationEssentials
import PKI
import SwiftASN1
import X509

/// A PEM block (RFC 7468).
enum PEM {
  static func block(_ label: String, _ der: [UInt8]) -> String { PEMDocument(type: label, derBytes: der).pemString + "\n" }
}

/// The keys of the CA: a root, and an intermediate that signs.
struct Issuer: Sendable {
  private let root: Signer
  private let intermediate: Signer
  private let stranger: Signer

  private struct Signer {
    let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
    let name: DistinguishedName
    let keyIdentifier = (0..<20).map { _ in UInt8.random(in: 0...255) }
    var der: [UInt8] = []

    init(_ name: String) throws {
      self.name = try DistinguishedName { CommonName(name) }
    }

    /// A certificate for this signer by another one, or by itself.
    func certified(by issuer: Signer, now: Instant) throws -> [UInt8] {
      let extensions = try Certificate.Extensions {
        Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
        Critical(KeyUsage(keyCertSign: true, cRLSign: true))
        SubjectKeyIdentifier(keyIdentifier: keyIdentifier[...])
        AuthorityKeyIdentifier(keyIdentifier: issuer.keyIdentifier[...])
      }
      return try der(
        Certificate(
          version: .v3, serialNumber: .init(), publicKey: key.publicKey, notValidBefore: (now - .seconds(864_000)).date,
          notValidAfter: (now + .seconds(864_000 * 365)).date, issuer: issuer.name, subject: name, extensions: extensions,
          issuerPrivateKey: issuer.key))
    }

    private func der(_ certificate: Certificate) throws -> [UInt8] { try certificate.derBytes }
  }

  init(now: Instant) throws {
    var root = try Signer("Model Root")
    root.der = try root.certified(by: root, now: now)
    var intermediate = try Signer("Model Intermediate")
    intermediate.der = try intermediate.certified(by: root, now: now)
    self.root = root
    self.intermediate = intermediate
    self.stranger = try Signer("Model Intermediate")
  }

  /// The root, PEM.
  var rootPEM: String { PEM.block("CERTIFICATE", root.der) }

  /// A chain for a CSR, in DER, and the identifier of its leaf by RFC 9773, section 4.1.
  func issue(
    _ csr: SigningRequest, from notBefore: Instant, until notAfter: Instant, _ mistake: Fault.ChainMistake?, withRoot: Bool
  ) throws -> (chain: [[UInt8]], identifier: String) {
    // Positive, and every second one with its first bit set, so that DER puts a zero octet before it.
    let serial = [UInt8.random(in: 0x40...0xff)] + (0..<15).map { _ in UInt8.random(in: 0...255) }
    let asked = try CertificateSigningRequest(derEncoded: csr.der).publicKey
    let names = mistake == .otherName ? ["other.example"] : csr.names.map(\.value)
    let leaf = try Certificate(
      version: .v3, serialNumber: .init(bytes: serial[...]),
      publicKey: mistake == .otherKey ? Certificate.PrivateKey(P256.Signing.PrivateKey()).publicKey : asked,
      notValidBefore: (mistake == .outOfTime ? notAfter : notBefore).date, notValidAfter: (mistake == .outOfTime ? notBefore : notAfter).date,
      issuer: intermediate.name, subject: try DistinguishedName { CommonName("Model Leaf") },
      extensions: try Certificate.Extensions {
        Critical(BasicConstraints.notCertificateAuthority)
        SubjectAlternativeNames(names.map { .dnsName($0) })
        AuthorityKeyIdentifier(keyIdentifier: intermediate.keyIdentifier[...])
      },
      issuerPrivateKey: mistake == .otherIssuer ? stranger.key : intermediate.key)
    let content = serial[0] < 0x80 ? serial : [0] + serial
    return (
      [try leaf.derBytes, intermediate.der] + (withRoot ? [root.der] : []),
      Base64URL.encode(intermediate.keyIdentifier) + "." + Base64URL.encode(content)
    )
  }

  /// A certificate for the API at localhost, and its key, by the root: DER both.
  func serverCertificate(now: Instant) throws -> (certificate: [UInt8], key: [UInt8]) {
    let key = P256.Signing.PrivateKey()
    let certificate = try Certificate(
      version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey), notValidBefore: (now - .seconds(864_000)).date,
      notValidAfter: (now + .seconds(864_000 * 365)).date, issuer: root.name, subject: try DistinguishedName { CommonName("localhost") },
      extensions: try Certificate.Extensions {
        Critical(BasicConstraints.notCertificateAuthority)
        SubjectAlternativeNames([.dnsName("localhost")])
        AuthorityKeyIdentifier(keyIdentifier: root.keyIdentifier[...])
      }, issuerPrivateKey: root.key)
    return (try certificate.derBytes, Array(key.derRepresentation))
  }
}

extension Certificate {
  fileprivate var derBytes: [UInt8] {
    get throws {
      var serializer = DER.Serializer()
      try serializer.serialize(self)
      return serializer.serializedBytes
    }
  }
}

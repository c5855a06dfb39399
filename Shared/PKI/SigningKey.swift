import Crypto
import CryptoExtras
import FoundationEssentials
import SwiftASN1
import X509

/// A private key for certificates, of a kind that public authorities certify. It appears in no description.
public struct SigningKey: Sendable, CustomStringConvertible {
  /// Its kind.
  public let kind: KeyKind
  /// The public key: the SubjectPublicKeyInfo in DER.
  public let publicKey: [UInt8]
  /// The key as PEM text: a secret, to be kept in a file that only its owner can read.
  public let pem: String

  private let key: Certificate.PrivateKey

  /// Makes a new key. An RSA key takes between a tenth of a second and several.
  public init(_ kind: KeyKind) throws {
    let key: Certificate.PrivateKey =
      switch kind {
      case .rsa2048: Certificate.PrivateKey(try _RSA.Signing.PrivateKey(keySize: .bits2048))
      case .rsa3072: Certificate.PrivateKey(try _RSA.Signing.PrivateKey(keySize: .bits3072))
      case .rsa4096: Certificate.PrivateKey(try _RSA.Signing.PrivateKey(keySize: .bits4096))
      case .p256: Certificate.PrivateKey(P256.Signing.PrivateKey())
      case .p384: Certificate.PrivateKey(P384.Signing.PrivateKey())
      }
    try self.init(key)
  }

  /// Reads a key from PEM text: PKCS #8, SEC 1 or PKCS #1, not encrypted. Other blocks in the text, such as EC parameters, do not count.
  public init(pem: String) throws(PKIError) {
    let labels = ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"]
    let block = try PEMBlock.blocks(in: pem, atMost: 10, size: 50_000).first { labels.contains($0.label) }
    guard let block else { throw PKIError(.malformed, "There is no unencrypted private key in the PEM text.") }
    do {
      try self.init(Certificate.PrivateKey(pemDocument: PEMDocument(type: block.label, derBytes: block.der)))
    } catch let error as PKIError {
      throw error
    } catch {
      // The library's reason is left out: it could quote the key.
      throw PKIError(.malformed, "The private key cannot be read, or is shorter than 2048 bits.")
    }
  }

  private init(_ key: Certificate.PrivateKey) throws {
    guard let kind = KeyKind(of: key.publicKey) else {
      throw PKIError(.weakKey, "No public authority certifies a key like this; use RSA of 2048, 3072 or 4096 bits, P-256 or P-384.")
    }
    let document = try key.serializeAsPEM()
    self.kind = kind
    self.key = key
    self.publicKey = try key.publicKey.subjectPublicKeyInfo
    self.pem = PEMBlock(label: document.discriminator, der: document.derBytes).text
  }

  /// The SHA-256 of the public key.
  public var keyPin: SubjectPublicKeyPin { SubjectPublicKeyPin(of: publicKey) }

  /// The kind and the pin, not the key.
  public var description: String { "\(kind) \(keyPin)" }

  /// Makes a CSR for these names. The first one is the common name too, if it has no more than the 64 characters that X.520 allows there.
  public func signingRequest(for names: [DNSName]) throws -> SigningRequest {
    let subject = names.first.map(\.value).flatMap { $0.utf8.count <= 64 ? $0 : nil }
    let extensions = try Certificate.Extensions {
      SubjectAlternativeNames(names.map { .dnsName($0.value) })
    }
    let request = try CertificateSigningRequest(
      version: .v1,
      subject: try DistinguishedName { if let subject { CommonName(subject) } },
      privateKey: key,
      attributes: CertificateSigningRequest.Attributes([.init(ExtensionRequest(extensions: extensions))]))
    var serializer = DER.Serializer()
    try serializer.serialize(request)
    return try SigningRequest(der: serializer.serializedBytes)
  }

  /// Makes a certificate for this key that the key itself has signed, for a TLS server that has no other yet. It may not sign others.
  public func selfSignedCertificate(
    commonName: String, names: [DNSName], notBefore: Instant, notAfter: Instant
  ) throws -> X509Certificate {
    let subject = try DistinguishedName { CommonName(commonName) }
    let certificate = try Certificate(
      version: .v3, serialNumber: .init(), publicKey: key.publicKey,
      notValidBefore: notBefore.date, notValidAfter: notAfter.date,
      issuer: subject, subject: subject,
      extensions: try Certificate.Extensions {
        Critical(BasicConstraints.notCertificateAuthority)
        Critical(KeyUsage(digitalSignature: true))
        try ExtendedKeyUsage([.serverAuth])
        SubjectAlternativeNames(names.map { .dnsName($0.value) })
        SubjectKeyIdentifier(hash: key.publicKey)
      },
      issuerPrivateKey: key)
    var serializer = DER.Serializer()
    try serializer.serialize(certificate)
    return try X509Certificate(der: serializer.serializedBytes)
  }
}

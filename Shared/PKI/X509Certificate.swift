import SwiftASN1
import X509

/// One certificate (RFC 5280), with what the connector wants to know of it. Two are equal when they are the same bytes.
public struct X509Certificate: Sendable, Hashable {
  /// The bytes as they came.
  public let der: [UInt8]
  /// The DNS names among its subject alternative names, in their order; wildcards, addresses and other kinds are left out.
  public let names: [DNSName]
  /// Its key: the SubjectPublicKeyInfo in DER.
  public let publicKey: [UInt8]
  /// The identifier for renewal information, or nil if it does not name its issuer's key.
  public let identifier: CertificateIdentifier?

  let certificate: Certificate

  /// Reads a certificate from DER.
  public init(der: [UInt8]) throws(PKIError) {
    do {
      let certificate = try Certificate(derEncoded: der)
      self.der = der
      self.certificate = certificate
      self.names = try certificate.extensions.generalNames.compactMap(\.dnsName)
      self.publicKey = try certificate.publicKey.subjectPublicKeyInfo
      self.identifier = try certificate.extensions.authorityKeyIdentifier?.keyIdentifier.map {
        CertificateIdentifier(authorityKeyIdentifier: $0, serialNumber: certificate.serialNumber.contentOctets)
      }
    } catch {
      throw PKIError(.malformed, "A certificate cannot be read: \(error)")
    }
  }

  /// Reads the certificates of a PEM text in their order; any other block in it is an error (RFC 8555, section 9.1).
  public static func list(pem: String, atMost count: Int) throws(PKIError) -> [X509Certificate] {
    var certificates: [X509Certificate] = []
    for block in try PEMBlock.blocks(in: pem, atMost: count, size: count * maximumSize) {
      guard block.label == label else { throw PKIError(.malformed, "There is a PEM block in it that is no certificate.") }
      certificates.append(try X509Certificate(der: block.der))
    }
    return certificates
  }

  /// The certificate as PEM text.
  public var pem: String { PEMBlock(label: Self.label, der: der).text }
  /// The SHA-256 of the certificate.
  public var fingerprint: Fingerprint { Fingerprint(of: der) }
  /// The SHA-256 of its key.
  public var keyPin: SubjectPublicKeyPin { SubjectPublicKeyPin(of: publicKey) }
  /// Its first moment.
  public var notBefore: Instant { Instant(certificate.notValidBefore) }
  /// Its last moment.
  public var notAfter: Instant { Instant(certificate.notValidAfter) }
  /// Its serial number in lowercase hexadecimal digits, two for each octet.
  public var serial: String { Hexadecimal.encode(certificate.serialNumber.bytes) }
  /// The common name of its subject.
  public var subjectCommonName: String? { certificate.subject.commonNames.first }
  /// The common name of its issuer.
  public var issuerCommonName: String? { certificate.issuer.commonNames.first }

  /// Whether it is named as its own issuer: no authority stands behind it (RFC 5280, section 3.2).
  public var isSelfIssued: Bool { certificate.issuer == certificate.subject }

  /// Whether `issuer` is named in it and has signed it.
  func isSigned(by issuer: X509Certificate) -> Bool {
    certificate.issuer == issuer.certificate.subject
      && issuer.certificate.publicKey.isValidSignature(certificate.signature, for: certificate)
  }

  /// Whether it may sign others (RFC 5280, section 4.2.1.9).
  public var isAuthority: Bool {
    guard case .isCertificateAuthority = try? certificate.extensions.basicConstraints else { return false }
    return true
  }

  /// Whether both are the same bytes.
  public static func == (left: X509Certificate, right: X509Certificate) -> Bool { left.der == right.der }

  /// Hashes the bytes.
  public func hash(into hasher: inout Hasher) { hasher.combine(der) }
}

extension X509Certificate {
  /// The most octets of PEM that are read for one certificate; one with 100 names of full length has about 35,000.
  private static let maximumSize = 50_000
  private static let label = "CERTIFICATE"
}

extension ASN1Node {
  fileprivate var dnsName: DNSName? {
    guard identifier.tagNumber == 2, case .primitive(let octets) = content else { return nil }
    return DNSName(String(decoding: octets, as: UTF8.self))
  }
}

extension Certificate.SerialNumber {
  /// The content of the DER integer. `bytes` is the bare magnitude; DER puts a zero octet before a set first bit, lest the number be negative.
  fileprivate var contentOctets: [UInt8] {
    guard let first = bytes.first, first < 0x80 else { return [0] + bytes }
    return Array(bytes)
  }
}

extension Certificate.PublicKey {
  /// The SubjectPublicKeyInfo in DER.
  var subjectPublicKeyInfo: [UInt8] {
    get throws {
      var serializer = DER.Serializer()
      try serializer.serialize(self)
      return serializer.serializedBytes
    }
  }
}

import Crypto
import FoundationEssentials
import SwiftASN1
import X509

/// A certificate signing request (PKCS #10, RFC 2986) that a public authority would take as far as it can be judged without asking one: its
/// key, its signature and its names are in order. One that is not cannot be made.
///
/// Two requests are equal when they are the same bytes. That makes them no identity: RSA signatures are deterministic, so a request
/// made again from a kept key is the same bytes again.
public struct SigningRequest: Sendable, Hashable {
  /// The most octets of DER that are read; Let's Encrypt reads no larger request.
  public static let maximumSize = 50_000
  /// The most names a request may have, as many as any profile of Let's Encrypt allows.
  public static let maximumNames = 100

  /// The bytes as they came.
  public let der: [UInt8]
  /// The names it asks for: common name, then subject alternative names, in their order, each once. Never empty.
  public let names: [DNSName]
  /// The kind of its key.
  public let keyKind: KeyKind
  /// Its key: the SubjectPublicKeyInfo in DER.
  public let publicKey: [UInt8]

  /// The names without their order.
  public var nameSet: Set<DNSName> { Set(names) }
  /// The SHA-256 of its key.
  public var keyPin: SubjectPublicKeyPin { SubjectPublicKeyPin(of: publicKey) }
  /// The SHA-256 of the request, `csrHash` in the device protocol.
  public var hash: Fingerprint { Fingerprint(of: der) }
  /// The request as PEM text.
  public var pem: String { PEMBlock(label: Self.label, der: der).text }

  /// Reads a request from PEM text, or from the base64 of its DER.
  public init(_ text: String) throws(SigningRequestRejection) {
    try self.init(der: Self.der(of: text))
  }

  /// Reads a request from DER.
  public init(der: [UInt8]) throws(SigningRequestRejection) {
    guard der.count <= Self.maximumSize else {
      throw SigningRequestRejection(.badCsr, "The CSR is larger than \(Self.maximumSize) bytes; ask for less in it.")
    }
    let request: CertificateSigningRequest
    do {
      request = try CertificateSigningRequest(derEncoded: der)
    } catch {
      throw SigningRequestRejection(unreadable: error)
    }
    guard let keyKind = KeyKind(of: request.publicKey) else { throw .weakKey }
    guard Self.signatureAlgorithms.contains(request.signatureAlgorithm) else { throw .unacceptableSignature }
    guard request.publicKey.isValidSignature(request.signature, for: request) else {
      throw SigningRequestRejection(.badCsr, "The CSR is not signed by the key in it; make it anew.")
    }
    var requested = RequestedNames()
    try requested.add(request)
    guard !requested.names.isEmpty else {
      throw SigningRequestRejection(.noNames, "The CSR has no name; put each DNS name into the subject alternative names.")
    }
    do {
      self.publicKey = try request.publicKey.subjectPublicKeyInfo
    } catch {
      throw .weakKey
    }
    self.der = der
    self.names = requested.names
    self.keyKind = keyKind
  }

  /// Refuses the request unless it asks for exactly these names; order, case and repetition do not count.
  public func requireNames(exactly names: [String]) throws(SigningRequestRejection) {
    var missing = nameSet
    for text in names {
      guard let name = DNSName(text), nameSet.contains(name) else {
        throw SigningRequestRejection(.namesMismatch, name: text, "This name is in dnsNames and not in the CSR; both must have the same names.")
      }
      missing.remove(name)
    }
    if let name = missing.min() {
      throw SigningRequestRejection(.namesMismatch, name: name.value, "This name is in the CSR and not in dnsNames; both must have the same names.")
    }
  }

  /// Whether both are the same bytes.
  public static func == (left: SigningRequest, right: SigningRequest) -> Bool { left.der == right.der }

  /// Hashes the bytes.
  public func hash(into hasher: inout Hasher) { hasher.combine(der) }
}

extension SigningRequest {
  private static let label = "CERTIFICATE REQUEST"

  /// What public authorities take: no SHA-1, no RSA-PSS, no EdDSA.
  private static let signatureAlgorithms: [Certificate.SignatureAlgorithm] = [
    .sha256WithRSAEncryption, .sha384WithRSAEncryption, .sha512WithRSAEncryption,
    .ecdsaWithSHA256, .ecdsaWithSHA384, .ecdsaWithSHA512,
  ]

  private static func der(of text: String) throws(SigningRequestRejection) -> [UInt8] {
    let unreadable = SigningRequestRejection(.badCsr, "The CSR is neither one PEM block nor the base64 of DER.")
    // Base64 takes four octets for three, and lines and boundaries some more.
    guard text.utf8.count <= maximumSize * 3 / 2 else { throw unreadable }
    guard text.contains("-----BEGIN ") else {
      guard let data = Data(base64Encoded: text.filter { !$0.isWhitespace }), !data.isEmpty else { throw unreadable }
      return Array(data)
    }
    // The older label is what some Microsoft and embedded tools still write (RFC 7468, section 7).
    guard let blocks = try? PEMBlock.blocks(in: text, atMost: 1, size: .max), let block = blocks.first,
      [label, "NEW \(label)"].contains(block.label)
    else { throw unreadable }
    return block.der
  }
}

extension SigningRequestRejection {
  fileprivate static var weakKey: SigningRequestRejection {
    SigningRequestRejection(.weakKey, "No public authority accepts this key; use RSA of 2048, 3072 or 4096 bits with exponent 65537, P-256 or P-384.")
  }

  fileprivate static var unacceptableSignature: SigningRequestRejection {
    SigningRequestRejection(
      .badCsr, "No public authority accepts this signature; sign the CSR with RSA (PKCS #1 v1.5) or ECDSA and SHA-256, SHA-384 or SHA-512.")
  }

  /// What the reason of the parser means to the device: it reads only keys and signatures that it could check.
  fileprivate init(unreadable error: any Error) {
    if let error = error as? CertificateError, error.code == .unsupportedSignatureAlgorithm {
      self = .unacceptableSignature
    } else if let error = error as? CertificateError, error.code == .unsupportedPublicKeyAlgorithm {
      self = .weakKey
    } else if error is CryptoKitError {
      // Only a key brings this about, when it is too short or no point of its curve.
      self = .weakKey
    } else {
      self.init(.badCsr, "The CSR is no PKCS #10 request in DER; make it anew.")
    }
  }
}

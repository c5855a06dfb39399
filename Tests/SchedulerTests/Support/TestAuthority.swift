import Crypto
import FoundationEssentials
import PKI
import SwiftASN1
import X509

/// Signs certificates for CSRs.
struct TestAuthority: Sendable {
  private let key = P256.Signing.PrivateKey()
  var name = "Test Issuer"

  /// A chain of one: the leaf for the CSR's key and names.
  func chain(for csr: SigningRequest, from notBefore: PKI.Instant, days: Int) throws -> String {
    let request = try CertificateSigningRequest(derEncoded: csr.der)
    let certificate = try Certificate(
      version: .v3, serialNumber: .init(), publicKey: request.publicKey, notValidBefore: notBefore.date,
      notValidAfter: (notBefore + .seconds(86_400 * days)).date, issuer: DistinguishedName { CommonName(name) },
      subject: DistinguishedName { CommonName(csr.names[0].value) },
      extensions: try Certificate.Extensions { SubjectAlternativeNames(csr.names.map { .dnsName($0.value) }) },
      issuerPrivateKey: Certificate.PrivateKey(key))
    var serializer = DER.Serializer()
    try serializer.serialize(certificate)
    return try X509Certificate(der: serializer.serializedBytes).pem
  }
}

/// A CSR with a new key.
func makeCSR(_ names: String...) throws -> SigningRequest {
  try SigningKey(.p256).signingRequest(for: names.map(dns))
}

/// A name that is known to be one.
func dns(_ text: String) -> DNSName {
  guard let name = DNSName(text) else { fatalError("\(text) is no DNS name") }
  return name
}

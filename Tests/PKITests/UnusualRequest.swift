import Crypto
import SwiftASN1
import X509

/// Makes a CSR that is well signed, with a P-256 key, and asks for whatever a test wants, in DER.
func unusualRequest(commonNames: [String] = [], _ names: GeneralName...) throws -> [UInt8] {
  try unusualRequest(commonNames: commonNames, names: names)
}

func unusualRequest(commonNames: [String] = [], names: [GeneralName]) throws -> [UInt8] {
  try unusualRequest(
    commonNames: commonNames,
    extensions: Certificate.Extensions { if !names.isEmpty { SubjectAlternativeNames(names) } })
}

/// One with a subject alternative name of any octets, which the library would not write.
func unusualRequest(rawName octets: [UInt8]) throws -> [UInt8] {
  var names = DER.Serializer()
  names.appendConstructedNode(identifier: .sequence) { sequence in
    sequence.appendPrimitiveNode(identifier: ASN1Identifier(tagWithNumber: 2, tagClass: .contextSpecific)) { $0.append(contentsOf: octets) }
  }
  let name = Certificate.Extension(oid: .X509ExtensionID.subjectAlternativeName, critical: false, value: names.serializedBytes[...])
  return try unusualRequest(commonNames: [], extensions: Certificate.Extensions([name]))
}

private func unusualRequest(commonNames: [String], extensions: Certificate.Extensions) throws -> [UInt8] {
  let request = try CertificateSigningRequest(
    version: .v1,
    subject: DistinguishedName(commonNames.map { RelativeDistinguishedName([.init(type: .RDNAttributeType.commonName, utf8String: $0)]) }),
    privateKey: Certificate.PrivateKey(P256.Signing.PrivateKey()),
    attributes: CertificateSigningRequest.Attributes([.init(ExtensionRequest(extensions: extensions))]))
  var serializer = DER.Serializer()
  try serializer.serialize(request)
  return serializer.serializedBytes
}

/// The payload of revokeCert (RFC 8555, section 7.6).
struct Revocation: Encodable {
  /// The certificate, base64url of its DER.
  let certificate: String
  /// A CRLReason (RFC 5280, section 5.3.1).
  let reason: Int?
}

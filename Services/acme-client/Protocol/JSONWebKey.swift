import Crypto
import PKI

/// The public half of an account key as a JWK (RFC 7517, RFC 7518 section 6.2): a point of P-256.
struct JSONWebKey: Sendable, Hashable {
  /// The members that RFC 7638 wants, in its order and without a blank: the text to embed, and to hash.
  let json: String
  /// The key as certificates name it.
  let pin: SubjectPublicKeyPin

  init(_ key: P256.Signing.PublicKey) {
    pin = SubjectPublicKeyPin(of: key.derRepresentation)
    let point = key.rawRepresentation
    let (x, y) = (Base64URL.encode(point.prefix(32)), Base64URL.encode(point.suffix(32)))
    json = #"{"crv":"P-256","kty":"EC","x":"\#(x)","y":"\#(y)"}"#
  }

  /// The RFC 7638 thumbprint, base64url: the account's half of a key authorization (RFC 8555, section 8.1).
  var thumbprint: String { Base64URL.encode(SHA256.hash(data: Array(json.utf8))) }
}

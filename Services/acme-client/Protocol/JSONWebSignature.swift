import Crypto
import FoundationEssentials
import PKI

/// A JWS in the flattened JSON serialisation (RFC 7515, section 7.2.2), as every ACME request is one (RFC 8555, section 6.2).
struct JSONWebSignature: Encodable, Sendable, Hashable {
  /// The header's bytes as they were signed, base64url. They are never encoded again.
  let protected: String
  /// Empty for POST-as-GET (RFC 8555, section 6.3).
  let payload: String
  let signature: String

  /// Who signs: `jwk` in newAccount alone, `kid` everywhere else (RFC 8555, section 6.2).
  enum Identity: Sendable, Hashable {
    case key
    case account(ResourceURL)
  }

  /// A request to `url`, signed with ES256.
  init(payload: [UInt8], to url: ResourceURL, nonce: Nonce, as identity: Identity, by key: any AccountKey) throws {
    let member =
      switch identity {
      case .key: #""jwk":\#(key.publicKey.json)"#
      case .account(let account): #""kid":\#(account.json)"#
      }
    try self.init(header: #"{"alg":"ES256",\#(member),"nonce":"\#(nonce)","url":\#(url.json)}"#, payload: payload) { try key.sign($0) }
  }

  /// The binding of `key` to an account that the CA knows by other means, with HS256 (RFC 8555, section 7.3.4).
  init(binding key: JSONWebKey, to account: ExternalAccount, newAccount url: ResourceURL) {
    let header = #"{"alg":"HS256","kid":\#(account.kid.jsonText),"url":\#(url.json)}"#
    self.init(header: header, payload: Array(key.json.utf8)) {
      Array(HMAC<SHA256>.authenticationCode(for: $0, using: SymmetricKey(data: account.hmacKey)))
    }
  }

  /// The consent of a new key to take the place of an account's old one, without a nonce; the request around it is signed by the old one (RFC 8555,
  /// section 7.3.5).
  init(changing account: ResourceURL, from old: JSONWebKey, to key: any AccountKey, at keyChange: ResourceURL) throws {
    let header = #"{"alg":"ES256","jwk":\#(key.publicKey.json),"url":\#(keyChange.json)}"#
    let payload = #"{"account":\#(account.json),"oldKey":\#(old.json)}"#
    try self.init(header: header, payload: Array(payload.utf8)) { try key.sign($0) }
  }

  init(header: String, payload: [UInt8], sign: ([UInt8]) throws -> [UInt8]) rethrows {
    protected = Base64URL.encode(header.utf8)
    self.payload = Base64URL.encode(payload)
    signature = Base64URL.encode(try sign(Array("\(protected).\(self.payload)".utf8)))
  }
}

extension ResourceURL {
  /// As a JSON string.
  fileprivate var json: String { value.jsonText }
}

extension String {
  /// As a JSON string (RFC 8259, section 7).
  fileprivate var jsonText: String {
    let escaped = unicodeScalars.map { scalar in
      switch scalar {
      case "\"": #"\""#
      case "\\": #"\\"#
      case "\u{0}"..."\u{1F}": "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
      default: String(scalar)
      }
    }
    return "\"\(escaped.joined())\""
  }
}

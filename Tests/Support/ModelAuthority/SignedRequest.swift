import Crypto
import FoundationEssentials
import NIOHTTP1
import PKI

/// A request whose JWS is in order (RFC 8555, section 6.2).
struct SignedRequest {
  /// Who has signed it.
  enum Signer {
    /// The key in it.
    case key(JSONWebKey)
    /// The account of this id.
    case account(String)
  }

  let signer: Signer
  let payload: [UInt8]
  let url: String
}

/// A public key of P-256 (RFC 7518, section 6.2).
struct JSONWebKey: Codable, Hashable, Sendable {
  let crv: String
  let kty: String
  let x: String
  let y: String

  /// The RFC 7638 thumbprint, base64url.
  var thumbprint: String {
    Base64URL.encode(SHA256.hash(data: Array(#"{"crv":"\#(crv)","kty":"\#(kty)","x":"\#(x)","y":"\#(y)"}"#.utf8)))
  }

  var publicKey: P256.Signing.PublicKey {
    get throws {
      let point = try StrictJSON.octets(x, what: "x of the jwk") + StrictJSON.octets(y, what: "y of the jwk")
      guard kty == "EC", crv == "P-256", point.count == 64, let key = try? P256.Signing.PublicKey(rawRepresentation: point) else {
        throw Deviation("the jwk is no point of P-256", type: "badPublicKey")
      }
      return key
    }
  }
}

/// A JWS as it is sent (RFC 7515, section 7.2.2).
struct FlattenedSignature: Decodable {
  let protected: String
  let payload: String
  let signature: String

  static func read(_ bytes: [UInt8], what: String) throws -> FlattenedSignature {
    try StrictJSON.decode(FlattenedSignature.self, members: ["protected", "payload", "signature"], from: bytes, what: what)
  }

  func verify(by key: JSONWebKey) throws {
    let octets = try StrictJSON.octets(signature, what: "signature")
    guard octets.count == 64, let ecdsa = try? P256.Signing.ECDSASignature(rawRepresentation: octets),
      try key.publicKey.isValidSignature(ecdsa, for: Data("\(protected).\(payload)".utf8))
    else { throw Deviation("the signature does not verify") }
  }
}

extension Books {
  private struct Header: Decodable {
    let alg: String
    let nonce: String
    let url: String
    let jwk: JSONWebKey?
    let kid: String?
  }

  /// Reads a request and checks all that RFC 8555, sections 6.1 to 6.5, wants of it.
  mutating func verify(_ request: Incoming, at resource: Resource) throws -> SignedRequest {
    guard request.method == .POST else { throw Deviation("\(request.method) instead of POST", status: 405) }
    guard request.headers["content-type"] == ["application/jose+json"] else {
      throw Deviation("the content type is \(request.headers["content-type"]) (section 6.2)", status: 415)
    }
    let jws = try FlattenedSignature.read(request.body, what: "the JWS")
    let members: Set = ["alg", "nonce", "url", "jwk", "kid"]
    let header = try StrictJSON.decode(
      Header.self, members: members, from: StrictJSON.octets(jws.protected, what: "protected"), what: "the protected header")
    guard header.alg == "ES256" else { throw Deviation("alg \(header.alg) is not supported", type: "badSignatureAlgorithm") }
    let url = base + request.path
    guard header.url == url else {
      throw Deviation("url \(header.url) is not the request's, \(url) (section 6.4)", type: "unauthorized", status: 401)
    }

    let (signer, key) = try signer(header, at: resource)
    try jws.verify(by: key)
    try use(header.nonce)
    if case .account(let id) = signer, accounts[id]?.status != "valid" {
      throw Refusal("unauthorized", status: 401, "the account is \(accounts[id]?.status ?? "gone")")
    }
    return SignedRequest(signer: signer, payload: try StrictJSON.octets(jws.payload, what: "payload"), url: url)
  }

  /// `jwk` in newAccount alone, `kid` elsewhere; either for a revocation (section 6.2).
  private func signer(_ header: Header, at resource: Resource) throws -> (SignedRequest.Signer, JSONWebKey) {
    switch (header.jwk, header.kid) {
    case (let jwk?, nil) where [.newAccount, .revokeCert].contains(resource): return (.key(jwk), jwk)
    case (nil, let kid?) where resource != .newAccount:
      guard let account = accounts.values.first(where: { url(.account, $0.id) == kid }) else {
        throw Refusal("accountDoesNotExist", status: 400, "no account \(kid)")
      }
      return (.account(account.id), account.key)
    default: throw Deviation("\(resource.rawValue) is signed by jwk or kid as section 6.2 does not have it")
    }
  }
}

extension SignedRequest {
  /// The account that has signed, where it must be one.
  var account: String {
    get throws {
      guard case .account(let id) = signer else { throw Deviation("no account has signed") }
      return id
    }
  }

  /// POST-as-GET has an empty payload, not an empty object (section 6.3).
  func requireAsGet() throws {
    guard payload.isEmpty else { throw Deviation("POST-as-GET with a payload (section 6.3)") }
  }
}

import Crypto
import FoundationEssentials
import PKI
import Testing

@testable import ACMEClient

@Suite("JWS and JWK")
struct JSONWebSignatureTests {
  /// RFC 7515, appendix A.3.1.
  struct ExampleKey: AccountKey {
    let key: P256.Signing.PrivateKey

    init() throws {
      key = try P256.Signing.PrivateKey(rawRepresentation: Base64URL.decode("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI") ?? [])
    }

    var publicKey: JSONWebKey { JSONWebKey(key.publicKey) }
    func sign(_ message: [UInt8]) throws -> [UInt8] { Array(try key.signature(for: message).rawRepresentation) }
  }

  @Test("a key is written as RFC 7638 wants it hashed")
  func publicKey() throws {
    let key = try ExampleKey().publicKey
    #expect(
      key.json
        == #"{"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#)
    #expect(key.thumbprint == "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U")
  }

  @Test("header and payload are signed as RFC 7515, appendix A.3 has them")
  func es256() throws {
    let payload = Array("{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}".utf8)
    let key = try ExampleKey()
    let signed = try JSONWebSignature(header: #"{"alg":"ES256"}"#, payload: payload) { try key.sign($0) }
    #expect(signed.protected == "eyJhbGciOiJFUzI1NiJ9")
    #expect(
      signed.payload == "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ")
    let theirs = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    let input = Data("\(signed.protected).\(signed.payload)".utf8)
    for signature in [signed.signature, theirs] {
      let bytes = try #require(Base64URL.decode(signature))
      #expect(bytes.count == 64)
      #expect(key.key.publicKey.isValidSignature(try P256.Signing.ECDSASignature(rawRepresentation: bytes), for: input))
    }
  }

  @Test("HS256 is RFC 7515, appendix A.1")
  func hs256() throws {
    let secret = try #require(
      Base64URL.decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"))
    let payload = Array("{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}".utf8)
    let signed = JSONWebSignature(header: "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}", payload: payload) {
      Array(HMAC<SHA256>.authenticationCode(for: $0, using: SymmetricKey(data: secret)))
    }
    #expect(signed.signature == "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
  }

  @Test("a request names the account by kid, newAccount the key by jwk, and both the exact URL")
  func identity() throws {
    let key = try ExampleKey()
    let nonce = try #require(Nonce("6S8IqOGY7eL2lsGoTZYifg"))
    let request = try JSONWebSignature(payload: [], to: CA.url("Order/%41?b=C"), nonce: nonce, as: .account(CA.url("account/1")), by: key)
    #expect(request.payload.isEmpty)
    #expect(
      try header(of: request)
        == ["alg": "ES256", "kid": "https://ca.example/account/1", "nonce": "6S8IqOGY7eL2lsGoTZYifg", "url": "https://ca.example/Order/%41?b=C"])
    let made = try JSONWebSignature(payload: [], to: CA.url("newAccount"), nonce: nonce, as: .key, by: key)
    let text = String(decoding: Base64URL.decode(made.protected) ?? [], as: UTF8.self)
    #expect(text.contains(#""jwk":{"crv":"P-256""#) && !text.contains("kid"))
  }

  @Test("an external account is bound to the key without a nonce, at newAccount's URL (RFC 8555, section 7.3.4)")
  func externalAccount() throws {
    let account = try #require(ExternalAccount(kid: #"kid "1""#, hmacKey: "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"))
    let key = try ExampleKey().publicKey
    let bound = JSONWebSignature(binding: key, to: account, newAccount: CA.url("newAccount"))
    #expect(try header(of: bound) == ["alg": "HS256", "kid": #"kid "1""#, "url": "https://ca.example/newAccount"])
    #expect(Base64URL.decode(bound.payload) == Array(key.json.utf8))
    #expect(
      HMAC<SHA256>.isValidAuthenticationCode(
        try #require(Base64URL.decode(bound.signature)), authenticating: Data("\(bound.protected).\(bound.payload)".utf8),
        using: SymmetricKey(data: account.hmacKey)))
  }

  private func header(of signed: JSONWebSignature) throws -> [String: String] {
    try JSONDecoder().decode([String: String].self, from: Data(Base64URL.decode(signed.protected) ?? []))
  }
}

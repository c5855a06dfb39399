import FoundationEssentials
import PKI
import ServiceRuntime

/// An account that the operator has with the CA by other means (RFC 8555, section 7.3.4). The key is a secret.
struct ExternalAccount: Sendable, CustomStringConvertible {
  /// The name of the systemd credential it comes in. JSON, for all authorities `{"kid": "…", "hmacKey": "…"}`, or by the directory's URL
  /// `{"https://…": {"kid": "…", "hmacKey": "…"}}`. `hmacKey` is base64url, as CAs hand it out.
  static let credential = "external-account"

  let kid: String
  let hmacKey: [UInt8]

  init?(kid: String, hmacKey: String) {
    // Some CAs show the key in the other alphabet, or with padding.
    let text = String(hmacKey.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }.filter { $0 != "=" })
    guard !kid.isEmpty, let key = Base64URL.decode(text), !key.isEmpty else { return nil }
    self.kid = kid
    self.hmacKey = key
  }

  /// Who, not the key.
  var description: String { "external account \(kid)" }

  /// The external account for a directory, or nil if the operator has given none.
  /// - Throws: an ``ACMEError`` when the credential is there and makes no sense.
  static func read(from credentials: Credentials, for directory: ResourceURL) throws -> ExternalAccount? {
    guard let content = try credentials.read(credential) else { return nil }
    let decoder = JSONDecoder()
    let data = Data(content)
    let found =
      if let one = try? decoder.decode(Form.self, from: data) {
        Optional(one)
      } else if let many = try? decoder.decode([String: Form].self, from: data) {
        many.first { directory.isDirectory(at: $0.key) }?.value
      } else {
        throw unreadable
      }
    guard let found else { return nil }
    guard let account = ExternalAccount(kid: found.kid, hmacKey: found.hmacKey) else { throw unreadable }
    return account
  }

  private struct Form: Decodable {
    let kid: String
    let hmacKey: String
  }

  private static var unreadable: ACMEError {
    ACMEError(
      .accountNeeded, "credential \(credential)",
      "it is not {\"kid\": …, \"hmacKey\": base64url …}, nor such objects by directory URL; write it as the CA's page shows kid and key")
  }
}

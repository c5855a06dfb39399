import ACMEClientAPI
import FoundationEssentials
import PKI

/// One CA as one caller uses it: the connection, and the account that signs.
struct AuthoritySession: Sendable {
  let authority: Authority
  let connection: AuthorityConnection
  let key: any AccountKey
  let account: ResourceURL

  /// The key authorization's second half.
  var thumbprint: String { key.publicKey.thumbprint }

  /// POST-as-GET (RFC 8555, section 6.3).
  func get(_ endpoint: Endpoint, _ url: ResourceURL, accept: String? = nil) async throws -> Response {
    try await connection.post(endpoint, url, .none, as: .account(account), by: key, accept: accept)
  }

  /// A request with a payload.
  func post(
    _ endpoint: Endpoint, _ url: ResourceURL, _ payload: AuthorityConnection.Payload, beforeSending: @Sendable () async throws -> Void = {}
  ) async throws -> Response {
    try await connection.post(endpoint, url, payload, as: .account(account), by: key, beforeSending: beforeSending)
  }
}

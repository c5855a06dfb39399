import Crypto
import FoundationEssentials
import Logging
import NIOHTTP1
import PKI
import Synchronization

@testable import ACMEClient

/// A CA whose answers are written down beforehand; it keeps what it was asked.
final class ScriptedTransport: Transport {
  private let state: Mutex<(answers: [Response], requests: [Request])>

  init(_ answers: [Response]) { state = Mutex((answers, [])) }

  var requests: [Request] { state.withLock { $0.requests } }

  func send(_ request: Request) async throws -> Response {
    try state.withLock { state in
      state.requests.append(request)
      guard !state.answers.isEmpty else { throw ACMEError(.unreachable, request.url.value, "the script is over") }
      return state.answers.removeFirst()
    }
  }

  /// The protected header of the n-th request.
  func header(_ index: Int) throws -> [String: String] {
    let signed = try JSONDecoder().decode([String: String].self, from: Data(requests[index].body))
    return try JSONDecoder().decode([String: String].self, from: Data(Base64URL.decode(signed["protected"] ?? "") ?? []))
  }

  var connection: AuthorityConnection {
    AuthorityConnection(
      url: CA.url("directory"),
      directory: Directory(
        newNonce: CA.url("newNonce"), newAccount: CA.url("newAccount"), newOrder: CA.url("newOrder"), revokeCert: nil, keyChange: nil,
        renewalInfo: nil, meta: nil),
      transport: self, nonces: NoncePool(), clock: .system, logger: Logger(label: "test"))
  }
}

extension Response {
  static func ok(nonce: String?, body: String = "{}") -> Response {
    Response(status: 200, headers: nonce.map { ["replay-nonce": $0] } ?? [:], body: Array(body.utf8))
  }

  static func problem(_ type: String, status: Int = 400, nonce: String?) -> Response {
    var headers: HTTPHeaders = ["content-type": "application/problem+json"]
    if let nonce { headers.add(name: "replay-nonce", value: nonce) }
    return Response(status: status, headers: headers, body: Array(#"{"type":"urn:ietf:params:acme:error:\#(type)"}"#.utf8))
  }
}

/// A key in memory.
struct MemoryKey: AccountKey {
  private let key = P256.Signing.PrivateKey()

  var publicKey: JSONWebKey { JSONWebKey(key.publicKey) }
  func sign(_ message: [UInt8]) throws -> [UInt8] { Array(try key.signature(for: message).rawRepresentation) }
}

import NIOHTTP1

/// What becomes of a request: decided by its head and by where it comes from.
enum UpgradeVerdict: Equatable, Sendable {
  case webSocket
  /// A WebSocket is asked for, but not as RFC 6455, section 4.2.1, says.
  case badUpgrade
  case connectorCertificate
  case methodNotAllowed
  /// Plain text from elsewhere than this machine or a trusted proxy: login digests do not protect a connection.
  case insecure
  case notFound

  /// The file of the gateway's own trust anchor, below the instance path.
  static let connectorCertificateName = "connector.pem"

  /// - Parameters:
  ///   - isSecure: Whether the connection is encrypted.
  ///   - isProxy: Whether the peer is a trusted proxy.
  init(_ head: HTTPRequestHead, from peer: PeerAddress, isSecure: Bool, isProxy: Bool, path: InstancePath) {
    guard let remainder = path.remainder(of: head.uri) else {
      self = .notFound
      return
    }
    guard isSecure || isProxy || peer.isLoopback else {
      self = .insecure
      return
    }
    if head.headers.contains(name: "upgrade") {
      self = head.asksForWebSocket ? .webSocket : .badUpgrade
    } else if remainder == Self.connectorCertificateName {
      self = [.GET, .HEAD].contains(head.method) ? .connectorCertificate : .methodNotAllowed
    } else {
      self = .notFound
    }
  }

  /// What is answered when nothing is upgraded.
  var status: HTTPResponseStatus {
    switch self {
    case .webSocket: .switchingProtocols
    case .badUpgrade: .badRequest
    case .connectorCertificate: .ok
    case .methodNotAllowed: .methodNotAllowed
    case .insecure: .forbidden
    case .notFound: .notFound
    }
  }

  /// The header field that says how to do it right.
  var hint: (name: String, value: String)? {
    switch self {
    case .badUpgrade: ("sec-websocket-version", "13")
    case .methodNotAllowed: ("allow", "GET, HEAD")
    default: nil
    }
  }
}

extension HTTPRequestHead {
  /// RFC 6455, section 4.2.1: a GET of HTTP/1.1 or later, without a body, with one Host. The key is 16 octets in base64.
  fileprivate var asksForWebSocket: Bool {
    method == .GET && version.major == 1 && version.minor >= 1 && headers["host"].count == 1 && !hasBody
      && headers[canonicalForm: "upgrade"].map { $0.lowercased() } == ["websocket"]
      && headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
      && headers["sec-websocket-version"] == ["13"] && headers["sec-websocket-key"].map(\.utf8.count) == [24]
  }

  private var hasBody: Bool { headers.contains(name: "transfer-encoding") || headers["content-length"].contains { $0 != "0" } }
}

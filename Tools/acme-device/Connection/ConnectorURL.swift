import FoundationEssentials

/// Where the connector awaits devices: a `wss` URL, or a `ws` URL on this machine, for a login digest does not protect a connection.
struct ConnectorURL: Sendable, Hashable, CustomStringConvertible {
  /// The connector's path if the URL has none.
  static let defaultPath = "/connector"

  /// Whether the connection is encrypted.
  let isSecure: Bool
  /// The name or address, an IPv6 one without brackets.
  let host: String
  /// The port; 443 or 80 if the URL has none (RFC 6455, section 3).
  let port: Int
  /// The path, and the query if there is one.
  let path: String

  /// The URL that `text` spells, or nil if it is none of these.
  init?(_ text: String) {
    guard let url = URLComponents(string: text), let scheme = url.scheme?.lowercased(), ["ws", "wss"].contains(scheme),
      let host = url.host, !host.isEmpty, url.user == nil, url.fragment == nil, (1...65535).contains(url.port ?? 443)
    else { return nil }
    isSecure = scheme == "wss"
    self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
    port = url.port ?? (isSecure ? 443 : 80)
    let path = ["", "/"].contains(url.percentEncodedPath) ? Self.defaultPath : url.percentEncodedPath
    self.path = path + (url.percentEncodedQuery.map { "?\($0)" } ?? "")
    guard isSecure || isLoopback else { return nil }
  }

  /// The name and port as the Host header has them.
  var authority: String {
    let name = host.contains(":") ? "[\(host)]" : host
    return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
  }

  /// The URL.
  var description: String { "\(isSecure ? "wss" : "ws")://\(authority)\(path)" }

  private var isLoopback: Bool {
    host.lowercased() == "localhost" || host == "::1" || (host.hasPrefix("127.") && host.allSatisfy { $0.isASCII && $0.isNumber || $0 == "." })
  }
}

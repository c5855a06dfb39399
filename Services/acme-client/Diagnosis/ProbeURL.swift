import FoundationEssentials
import PKI

/// Where the doctor asks, and where it is led from there: what a CA takes (RFC 8555, section 8.3; Let's Encrypt's va/http.go).
struct ProbeURL: Sendable, Hashable, CustomStringConvertible {
  enum Host: Sendable, Hashable, CustomStringConvertible {
    case name(DNSName)
    case address(IPAddress)

    var description: String {
      switch self {
      case .name(let name): name.value
      case .address(let address): address.isIPv6 ? "[\(address)]" : "\(address)"
      }
    }
  }

  let isSecure: Bool
  let host: Host
  /// 80 or 443, with either scheme.
  let port: Int
  /// The path and the query, as they stand in the request.
  let target: String

  /// Why a CA does not go where a server leads it.
  enum Refusal: Error, Hashable {
    /// No URL, or one without a host.
    case unreadable
    /// Neither http nor https.
    case scheme(String)
    /// Neither 80 nor 443.
    case port(Int)
    /// Longer than the 2,000 bytes that are taken.
    case tooLong
  }

  private static let longest = 2_000

  /// Where the answer to a challenge is.
  init(challenge token: ChallengeToken, of name: DNSName) {
    self.init(isSecure: false, host: .name(name), port: 80, target: "/.well-known/acme-challenge/\(token)")
  }

  private init(isSecure: Bool, host: Host, port: Int, target: String) {
    (self.isSecure, self.host, self.port, self.target) = (isSecure, host, port, target)
  }

  /// Where `location` leads from here.
  func following(_ location: String) throws(Refusal) -> ProbeURL {
    guard location.utf8.count <= Self.longest else { throw .tooLong }
    guard let url = URL(string: location, relativeTo: URL(string: description))?.absoluteURL, let scheme = url.scheme?.lowercased() else {
      throw .unreadable
    }
    guard ["http", "https"].contains(scheme) else { throw .scheme(scheme) }
    guard let host = url.host(percentEncoded: false).flatMap(Self.host) else { throw .unreadable }
    let isSecure = scheme == "https"
    let port = url.port ?? (isSecure ? 443 : 80)
    guard [80, 443].contains(port) else { throw .port(port) }
    let path = url.path(percentEncoded: true)
    let query = url.query(percentEncoded: true).map { "?\($0)" } ?? ""
    return ProbeURL(isSecure: isSecure, host: host, port: port, target: (path.isEmpty ? "/" : path) + query)
  }

  /// The same at the address itself, as one who asks without a name.
  func withoutName(at address: IPAddress) -> ProbeURL {
    ProbeURL(isSecure: isSecure, host: .address(address), port: port, target: target)
  }

  private static func host(_ text: String) -> Host? {
    let bare = text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : text
    return IPAddress(bare).map(Host.address) ?? DNSName(text).map(Host.name)
  }

  var description: String { "http\(isSecure ? "s" : "")://\(authority)\(target)" }

  /// What stands in the request's Host field.
  var authority: String { port == (isSecure ? 443 : 80) ? "\(host)" : "\(host):\(port)" }
}

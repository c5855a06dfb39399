import FoundationEssentials

/// Which proxy leads to which host, as the environment says: `HTTPS_PROXY` and `NO_PROXY`, in either case, as curl(1) reads them.
struct ProxyEnvironment: Sendable, Hashable {
  /// An HTTP proxy that is asked to CONNECT.
  struct Proxy: Sendable, Hashable {
    let host: String
    let port: Int
    let user: String?
    let password: String?
  }

  private let proxy: Proxy?
  private let exceptions: [String]

  init(_ variables: [String: String]) {
    func variable(_ name: String) -> String? { variables[name.lowercased()] ?? variables[name] }
    proxy = variable("HTTPS_PROXY").flatMap(Self.proxy)
    exceptions = (variable("NO_PROXY") ?? "").split { $0 == "," || $0 == " " }.map { $0.lowercased() }
  }

  /// The proxy for a host, or nil for the direct way.
  func proxy(for host: String) -> Proxy? {
    let host = host.lowercased()
    let isException = exceptions.contains { exception in
      let domain = exception.hasPrefix(".") ? String(exception.dropFirst()) : exception
      return exception == "*" || host == domain || host.hasSuffix("." + domain)
    }
    return isException ? nil : proxy
  }

  private static func proxy(_ text: String) -> Proxy? {
    guard let url = URL(string: text.contains("://") ? text : "http://\(text)"), let host = url.host(), !host.isEmpty else { return nil }
    return Proxy(host: host, port: url.port ?? 1080, user: url.user(percentEncoded: false), password: url.password(percentEncoded: false))
  }
}

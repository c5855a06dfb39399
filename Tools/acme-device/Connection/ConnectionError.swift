import PKI

/// Why there is no connection to the connector, or no longer.
struct ConnectionError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What went wrong. Open: more may be added.
  struct Code: RawRepresentable, Sendable, Hashable {
    let rawValue: String

    /// Nobody answers there.
    static let unreachable = Code(rawValue: "unreachable")
    /// Whoever answers is not the connector that is trusted.
    static let untrusted = Code(rawValue: "untrusted")
    /// It answers, but not with a WebSocket.
    static let noWebSocket = Code(rawValue: "noWebSocket")
    /// What came is not of the protocol, or nothing came for too long.
    static let broken = Code(rawValue: "broken")
  }

  /// What went wrong.
  let code: Code
  /// The cause and what to do, as a sentence.
  let description: String
  /// Whether another attempt may succeed without anybody doing anything.
  let isTransient: Bool

  private init(_ code: Code, isTransient: Bool = true, _ description: String) {
    self.code = code
    self.isTransient = isTransient
    self.description = description
  }

  static func unreachable(_ url: ConnectorURL, _ cause: String) -> ConnectionError {
    ConnectionError(.unreachable, "Nobody answers at \(url): \(cause).")
  }

  static func wrongKey(_ seen: SubjectPublicKeyPin, at url: ConnectorURL) -> ConnectionError {
    ConnectionError(
      .untrusted, isTransient: false,
      "The key of \(url) is \(seen), not the pinned one; ask the connector's administrator for the pin (acme-connector logins describe).")
  }

  static func untrusted(_ url: ConnectorURL, _ cause: String) -> ConnectionError {
    ConnectionError(
      .untrusted, isTransient: false,
      "The certificate of \(url) is not trusted (\(cause)); pin the connector's key with --pin, or name its authority with --ca-file.")
  }

  static func noWebSocket(_ url: ConnectorURL, status: UInt?) -> ConnectionError {
    let isOurs = status.map { (400..<500).contains($0) } ?? false
    return ConnectionError(
      .noWebSocket, isTransient: !isOurs,
      "\(url) answers\(status.map { " with status \($0)" } ?? ""), but is no connector; is the path of the URL right?")
  }

  static func noHTTP(_ url: ConnectorURL) -> ConnectionError {
    let hint = url.isSecure ? "is the port of the URL right?" : "where it speaks TLS, the URL begins with wss."
    return ConnectionError(.noWebSocket, "What answers at \(url) speaks no HTTP; \(hint)")
  }

  static func broken(_ cause: String) -> ConnectionError {
    ConnectionError(.broken, "The connection is broken: \(cause).")
  }
}

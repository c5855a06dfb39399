public import PKI

/// What the gateway is told about itself.
public struct GatewaySettings: Codable, Sendable, Hashable {
  /// Its public host names, for which it wants a certificate; none: it does with the one that it has signed itself.
  public var names: [DNSName]
  /// The reverse proxies that are trusted to say where a device comes from, and that may connect without TLS.
  public var trustedProxies: [IPNetwork]

  /// Settings for the gateway.
  public init(names: [DNSName], trustedProxies: [IPNetwork] = []) {
    self.names = names
    self.trustedProxies = trustedProxies
  }
}

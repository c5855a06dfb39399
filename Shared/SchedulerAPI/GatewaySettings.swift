public import PKI

/// What the gateway is told about itself.
public struct GatewaySettings: Codable, Sendable, Hashable {
  /// Its public host names, for which it wants a certificate; none: it does with the one that it has signed itself.
  public var names: [DNSName]

  /// Settings for the gateway.
  public init(names: [DNSName]) {
    self.names = names
  }
}

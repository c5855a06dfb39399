import ACMEClientAPI
import PKI

/// A call for the doctor, read: which DNS it asks, and where it goes.
struct Look: Sendable {
  /// What the DNS says of a name.
  struct Resolution: Sendable {
    let ipv6: Resolver.Lookup
    let ipv4: Resolver.Lookup
    /// What this machine's resolver says, where another one is asked.
    let own: [IPAddress]?
    let authorizations: [(domain: DNSName, lookup: Resolver.Lookup)]
  }

  let walker: ProbeWalker
  /// Whether no other resolver is asked than this machine's own.
  var isOfOwnResolver: Bool { own == nil }

  private let resolver: Resolver
  /// This machine's own, where another one is asked.
  private let own: Resolver?
  /// Resolvers, those in small routers above all, refuse questions beyond so many. Where names are slow, others go on after a moment.
  private let paces = Semaphore(16)
  private static let patience = Duration.milliseconds(500)

  init(_ call: ACMEClient.Diagnose.Parameters) throws {
    guard (1...SigningRequest.maximumNames).contains(call.candidates.count) else {
      throw Self.refusal("The doctor looks at 1 to \(SigningRequest.maximumNames) names; these are \(call.candidates.count).")
    }
    if let server = call.vantage.resolver {
      guard let chosen = Resolver(server) else { throw Self.refusal("\(server.shown) is no DNS server's address; see to doctor.resolver.") }
      (resolver, own) = (chosen, Resolver())
    } else {
      (resolver, own) = (Resolver(), nil)
    }
    let networks = try call.vantage.privateAddresses.map { text in
      guard let network = IPNetwork(text) else { throw Self.refusal("\(text.shown) is no network; see to doctor.privateAddresses.") }
      return network
    }
    let ports = [call.vantage.httpPort, call.vantage.httpsPort]
    if let odd = ports.first(where: { !(1...65_535).contains($0) }) { throw Self.refusal("There is no port \(odd).") }
    walker = ProbeWalker(resolver: resolver, permission: AddressPermission(networks: networks), httpPort: ports[0], httpsPort: ports[1])
  }

  private static func refusal(_ text: String) -> ACMEClient.Failed { ACMEClient.Failed(Problem(.internalError, text, final: true)) }

  /// Asks for all that is to be known of a name at once.
  func resolve(_ name: DNSName) async throws -> Resolution {
    try await paces.withPermit(patience: Self.patience) {
      async let ipv6 = resolver.lookUp(.ipv6Address, of: name.value)
      async let ipv4 = resolver.lookUp(.address, of: name.value)
      async let own = self.own?.addresses(of: name)
      async let authorizations = resolver.authorizations(for: name)
      return await Resolution(ipv6: ipv6, ipv4: ipv4, own: own, authorizations: authorizations)
    }
  }
}

import DeviceGatewayAPI
import FoundationEssentials
import PKI
import Programs
import Testing

/// Hosts on one link, each with an IPv4 and an IPv6 address and a port 80 of its own: a CA with its DNS server, a connector, and who else may stand at
/// port 80 of a name.
struct Site: Sendable {
  /// A host; its number is the last one of its addresses.
  enum Host: Int, CaseIterable, Sendable {
    case authority = 1
    case connector
    case nginx
    case haproxy
    case apache
    case caddy
    case proxy
    case device

    /// In the networks for documentation (RFC 5737, RFC 3849).
    var four: String { "192.0.2.\(rawValue)" }
    var six: String { "2001:db8::\(rawValue)" }
  }

  let networks: [Host: Network]
  let folder: URL
  let pebble: Pebble
  let connector: Connector

  /// Makes one in which these names lead to their hosts: those that begin with `four-` by IPv4 alone, with `six-` by IPv6 alone, all others by both.
  static func with<Result: Sendable>(
    _ names: [String: Host], longestPause: Double? = nil, _ body: @Sendable (Site) async throws -> Result
  ) async throws -> Result {
    try await Testbed.withFolder { folder in
      try await withNetworks(Host.allCases[...]) { networks in
        try await link(networks)
        let hosts = folder.appending(path: "hosts")
        try Data(names.map(records).joined().utf8).write(to: hosts)
        return try await Pebble.run(
          in: folder.appending(path: "pebble"), challengePort: 80, manners: .init(address: Host.authority.four, hosts: hosts.path),
          network: networks[.authority]
        ) { pebble in
          try await Connector.run(
            in: folder.appending(path: "state"), authority: (pebble.directory, pebble.trust), challenges: 80,
            at: [Host.connector.four, "[\(Host.connector.six)]"], longestPause: longestPause, network: networks[.connector]
          ) { connector in
            try await body(Site(networks: networks, folder: folder, pebble: pebble, connector: connector))
          }
        }
      }
    }
  }

  /// A device on a host, which comes to the connector over TLS, by the pin of its key.
  func device(_ name: String, on host: Host) async throws -> Device {
    var device = Device(folder: folder.appending(path: name), connector: connector)
    device.url = connector.url
    device.network = networks[host]
    device.options = ["--pin", try await connector.gateway().pin.hex, "--hardware-id", name]
    return device
  }

  /// A command on a host.
  func on(_ host: Host, _ executable: String, _ arguments: [String], environment: [String: String] = [:]) throws -> Command {
    try #require(networks[host]).inside(Command(executable, arguments, environment: environment))
  }

  private static func records(of name: String, at host: Host) -> String {
    (name.hasPrefix("six-") ? "" : "\(host.four) \(name)\n") + (name.hasPrefix("four-") ? "" : "\(host.six) \(name)\n")
  }

  private static func withNetworks<Result: Sendable>(
    _ hosts: ArraySlice<Host>, beside others: [Host: Network] = [:], _ body: @Sendable ([Host: Network]) async throws -> Result
  ) async throws -> Result {
    guard let host = hosts.first else { return try await body(others) }
    return try await Network.with(called: "-\(host)") { network in
      try await withNetworks(hosts.dropFirst(), beside: others.merging([host: network]) { $1 }, body)
    }
  }

  /// Lays a cable from each host to a bridge, which is on the first one.
  private static func link(_ networks: [Host: Network]) async throws {
    let hub = try #require(networks[.authority])
    try await hub.configure("link add bridge0 type bridge")
    for (host, network) in networks {
      var device = "bridge0"
      if host != .authority {
        device = "eth0"
        let port = "port\(host.rawValue)"
        try await hub.configure("link add \(port) type veth peer name \(device) netns \(network.name)", "link set \(port) master bridge0 up")
      }
      try await network.configure(
        "address add \(host.four)/24 dev \(device)", "address add \(host.six)/64 dev \(device) nodad", "link set \(device) up")
    }
  }
}

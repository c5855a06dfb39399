import DeviceGatewayAPI
import FoundationEssentials
import Programs
import Testing

/// Hosts on one link, each with an IPv4 and an IPv6 address and a port 80 of its own. On the first are the connector, the CA, and a DNS server by
/// which the CA finds the names.
struct Site: Sendable {
  /// A host, as the last number of its addresses.
  enum Host: Int, CaseIterable, Sendable {
    case connector = 1
    case proxy
    case device

    /// In the networks for documentation (RFC 5737, RFC 3849).
    var four: String { "192.0.2.\(rawValue)" }
    var six: String { "2001:db8::\(rawValue)" }
  }

  let networks: [Host: Network]
  let pebble: Pebble
  let connector: Connector
  let folder: URL

  /// Makes one in which these names lead to their hosts: those that begin with `four-` by IPv4 alone, with `six-` by IPv6 alone, others by both.
  static func with<Result: Sendable>(_ names: [String: Host], _ body: @Sendable (Site) async throws -> Result) async throws -> Result {
    try await Testbed.withFolder { folder in
      try await Network.with(called: "-c") { hub in
        try await Network.with(called: "-p") { proxy in
          try await Network.with(called: "-d") { device in
            try await link(hub, to: [.proxy: proxy, .device: device])
            return try await serve(names, on: hub, in: folder) { pebble, connector in
              try await body(Site(networks: [.connector: hub, .proxy: proxy, .device: device], pebble: pebble, connector: connector, folder: folder))
            }
          }
        }
      }
    }
  }

  /// A command on a host.
  func on(_ host: Host, _ executable: String, _ arguments: [String], environment: [String: String] = [:]) throws -> Command {
    try #require(networks[host]).inside(Command(executable, arguments, environment: environment))
  }

  /// A device on a host, which comes to the connector over TLS.
  func device(_ name: String, on host: Host) -> Device {
    var device = Device(folder: folder.appending(path: name), connector: connector)
    (device.network, device.url) = (networks[host], connector.url)
    return device
  }

  /// What a device of the site needs on its command line: the pin of the gateway's key, and an id of its own.
  func options(_ device: String) async throws -> [String] { ["--pin", try await connector.gateway().pin, "--hardware-id", device] }

  /// A bridge on the hub, to which all others have a cable.
  private static func link(_ hub: Network, to others: [Host: Network]) async throws {
    try await hub.configure("link", "add", "br0", "type", "bridge")
    for (host, network) in others {
      let port = "port\(host.rawValue)"
      try await hub.configure("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", network.name)
      try await hub.configure("link", "set", port, "master", "br0", "up")
    }
    for (host, network, device) in [(Host.connector, hub, "br0")] + others.map({ ($0.key, $0.value, "eth0") }) {
      try await network.configure("address", "add", "\(host.four)/24", "dev", device)
      try await network.configure("address", "add", "\(host.six)/64", "dev", device, "nodad")
      try await network.configure("link", "set", device, "up")
    }
  }

  private static func serve<Result: Sendable>(
    _ names: [String: Host], on hub: Network, in folder: URL, _ body: @Sendable (Pebble, Connector) async throws -> Result
  ) async throws -> Result {
    let records = names.flatMap { name, host in
      (name.hasPrefix("six-") ? [] : ["--address=/\(name)/\(host.four)"]) + (name.hasPrefix("four-") ? [] : ["--address=/\(name)/\(host.six)"])
    }
    let dns = hub.inside(
      Command(
        "dnsmasq",
        ["--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root", "--listen-address=127.0.0.1", "--bind-interfaces"]
          + records))
    let listens = "ip netns exec \(hub.name) ss -Hlun 'sport = :53' | grep -q ."
    return try await dns.running(when: listens, log: folder.appending(path: "dns.log")) {
      let manners = Pebble.Manners(dnsServer: "127.0.0.1:53")
      return try await Pebble.run(in: folder.appending(path: "pebble"), challengePort: 80, manners: manners, network: hub) { pebble in
        try await Connector.run(
          in: folder.appending(path: "state"), authority: (pebble.directory, pebble.trust), challenges: 80,
          at: [Host.connector.four, "[\(Host.connector.six)]"], network: hub
        ) { connector in
          try await body(pebble, connector)
        }
      }
    }
  }
}

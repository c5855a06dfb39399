import NIOCore
import PKI

/// Where a connection comes from. IPv4 is kept as IPv4-mapped IPv6 (RFC 4291, section 2.5.5.2), so that both kinds of listener give one address.
struct PeerAddress: Hashable, Sendable, CustomStringConvertible {
  private let high: UInt64
  private let low: UInt64

  private static let mapped: UInt64 = 0xffff_0000_0000

  /// The peer of a socket; a Unix socket's peer is this machine.
  init(_ address: SocketAddress) {
    switch address {
    case .v4(let v4):
      // struct sockaddr_in (ip(7)): family, port, address.
      high = 0
      low = Self.mapped | withUnsafeBytes(of: v4.address) { Self.number($0[4..<8]) }
    case .v6(let v6):
      // struct sockaddr_in6 (ipv6(7)): family, port, flow information, address.
      (high, low) = withUnsafeBytes(of: v6.address) { (Self.number($0[8..<16]), Self.number($0[16..<24])) }
    case .unixDomainSocket:
      high = 0
      low = 1
    }
  }

  init(_ address: IPAddress) {
    let octets = address.octets
    (high, low) = address.isIPv6 ? (Self.number(octets.prefix(8)), Self.number(octets.suffix(8))) : (0, Self.mapped | Self.number(octets))
  }

  private static func number(_ bytes: some Sequence<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

  private var isIPv4: Bool { high == 0 && low & ~0xffff_ffff == Self.mapped }

  /// 127.0.0.0/8 or ::1.
  var isLoopback: Bool {
    isIPv4 ? low >> 24 & 0xff == 127 : high == 0 && low == 1
  }

  /// What bounds are counted by.
  var network: PeerNetwork {
    isIPv4 ? PeerNetwork(high: high, low: low) : PeerNetwork(high: high, low: 0)
  }

  /// The address that it is; nil for none, as there are four octets or sixteen.
  var ipAddress: IPAddress? {
    let octets = PeerNetwork(high: high, low: low).bytes
    return IPAddress(octets: octets.suffix(isIPv4 ? 4 : 16))
  }

  /// The address as a person writes it, without a port.
  var description: String { ipAddress?.description ?? "unknown address" }
}

/// An IPv4 address, or the 64-bit prefix of an IPv6 one: the smallest thing that one customer of a network gets.
struct PeerNetwork: Hashable, Sendable {
  fileprivate let high: UInt64
  fileprivate let low: UInt64

  /// The address, in network byte order.
  var bytes: [UInt8] {
    [high, low].flatMap { half in stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: half >> $0) } }
  }
}

import Glibc

/// An IPv4 or IPv6 address, without a port or a zone.
public struct IPAddress: TextValue {
  /// The four or sixteen octets, in network byte order.
  public let octets: [UInt8]

  /// The address that a text spells, in the usual notations (inet_pton(3)).
  public init?(_ text: String) {
    var octets = [UInt8](repeating: 0, count: 16)
    if inet_pton(AF_INET, text, &octets) == 1 {
      self.octets = Array(octets.prefix(4))
    } else if inet_pton(AF_INET6, text, &octets) == 1 {
      self.octets = octets
    } else {
      return nil
    }
  }

  /// The address with these octets; nil if they are not four or sixteen.
  public init?(octets: some Sequence<UInt8>) {
    self.octets = Array(octets)
    guard [4, 16].contains(self.octets.count) else { return nil }
  }

  /// The IPv4 address where this is one in IPv6 notation (RFC 4291, section 2.5.5.2), as sockets for both show their peers; else the same.
  public var unmapped: IPAddress {
    guard isIPv6, octets.prefix(12) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] else { return self }
    return IPAddress(octets: octets.suffix(4)) ?? self
  }

  /// Whether it is an IPv6 address.
  public var isIPv6: Bool { octets.count == 16 }

  /// The address in its usual notation (for IPv6 RFC 5952).
  public var description: String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    guard inet_ntop(isIPv6 ? AF_INET6 : AF_INET, octets, &text, socklen_t(text.count)) != nil else { return "?" }
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// What an address is for (RFC 6890).
  public enum Purpose: Sendable, Hashable, CaseIterable {
    /// A host of the public Internet.
    case host
    /// A host of a private network: RFC 1918, RFC 6598, RFC 4193.
    case privateHost
    /// The machine itself.
    case loopback
    /// A neighbour on one link.
    case linkLocal
    /// Many hosts at once.
    case multicast
    /// Examples in documents.
    case documentation
    /// What is nobody's, and what leads to another address: unspecified, benchmarks, IPv4 in IPv6, relays.
    case reserved
  }

  /// What it is for.
  public var purpose: Purpose { isIPv6 ? purposeOfIPv6 : purposeOfIPv4 }

  private var purposeOfIPv4: Purpose {
    switch (octets[0], octets[1], octets[2]) {
    case (10, _, _), (172, 16...31, _), (192, 168, _), (100, 64...127, _): .privateHost
    case (127, _, _): .loopback
    case (169, 254, _): .linkLocal
    case (192, 0, 2), (198, 51, 100), (203, 0, 113): .documentation
    case (224...239, _, _): .multicast
    case (0, _, _), (192, 0, 0), (198, 18...19, _), (240..., _, _): .reserved
    default: .host
    }
  }

  private var purposeOfIPv6: Purpose {
    switch (octets[0], octets[1], octets[2], octets[3]) {
    case (0, 0, 0, 0) where octets.dropLast().allSatisfy { $0 == 0 } && octets[15] == 1: .loopback
    case (0xFC...0xFD, _, _, _): .privateHost
    case (0xFE, 0x80...0xBF, _, _): .linkLocal
    case (0xFF, _, _, _): .multicast
    case (0x20, 0x01, 0x0D, 0xB8), (0x3F, 0xFF, 0x00...0x0F, _): .documentation
    // Only 2000::/3 is given out; of that Teredo and 6to4 lead elsewhere.
    case (0x20, 0x01, 0x00...0x01, _), (0x20, 0x02, _, _): .reserved
    case (0x20...0x3F, _, _, _): .host
    default: .reserved
    }
  }
}

/// All addresses that begin with the same bits: `10.0.0.0/8`, or a single address.
public struct IPNetwork: TextValue {
  private let address: IPAddress
  private let length: Int

  /// The network that a text spells: an address, and after a slash how many of its bits count; without one all do. The others are zero. IPv4 in IPv6
  /// notation (RFC 4291, section 2.5.5.2) is IPv4.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = parts.first.flatMap({ IPAddress(String($0)) }) else { return nil }
    let most = address.octets.count * 8
    guard let length = parts.count == 1 ? most : Int(parts[1]), parts.last?.first != "+", (0...most).contains(length) else { return nil }
    let isMapped = address.isIPv6 && !address.unmapped.isIPv6 && length >= 96
    (self.address, self.length) = isMapped ? (address.unmapped, length - 96) : (address, length)
    guard isPrefix else { return nil }
  }

  /// Whether it is everything.
  public var isAll: Bool { length == 0 }

  /// Whether no bit is set after those that count.
  private var isPrefix: Bool {
    address.octets.enumerated().allSatisfy { index, octet in octet & UInt8(truncatingIfNeeded: 0xFF >> min(8, max(0, length - index * 8))) == 0 }
  }

  /// The network as text.
  public var description: String { "\(address)/\(length)" }

  /// Whether an address is one of this network.
  public func contains(_ other: IPAddress) -> Bool {
    guard other.octets.count == address.octets.count else { return false }
    return zip(address.octets, other.octets).enumerated().allSatisfy { index, pair in
      let bits = min(8, max(0, length - index * 8))
      return (pair.0 ^ pair.1) & ~UInt8(truncatingIfNeeded: 0xFF >> bits) == 0
    }
  }
}

/// An IP address, and perhaps a port: `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53`, `[2001:db8::53]:5353`.
public struct IPEndpoint: TextValue {
  /// The address.
  public let address: IPAddress
  /// The port, where the text has one.
  public let port: Int?

  /// The endpoint that a text spells.
  public init?(_ text: String) {
    if let address = IPAddress(text) {
      (self.address, port) = (address, nil)
      return
    }
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    guard let address = IPAddress(String(host)) else { return nil }
    (self.address, self.port) = (address, Int(port))
  }

  /// The endpoint as text.
  public var description: String { port.map { (address.isIPv6 ? "[\(address)]" : "\(address)") + ":\($0)" } ?? "\(address)" }
}

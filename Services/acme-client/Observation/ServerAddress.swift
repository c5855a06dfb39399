import Glibc
import NIOCore
import NIOPosix
import PKI

extension SocketAddress {
  /// The addresses of a name, as this machine's resolver has them; none where it has none. It blocks a thread of the pool, not the caller's.
  static func resolving(_ name: DNSName, port: Int) async throws -> [SocketAddress] {
    try await NIOThreadPool.singleton.runIfActive {
      var hints = addrinfo()
      hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
      hints.ai_flags = AI_ADDRCONFIG
      var first: UnsafeMutablePointer<addrinfo>?
      guard getaddrinfo(name.value, String(port), &hints, &first) == 0 else { return [] }
      defer { freeaddrinfo(first) }
      var addresses: [SocketAddress] = []
      var next = first
      while let info = next {
        next = info.pointee.ai_next
        guard let address = info.pointee.ai_addr else { continue }
        switch info.pointee.ai_family {
        case AF_INET: addresses.append(address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { SocketAddress($0.pointee) })
        case AF_INET6: addresses.append(address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { SocketAddress($0.pointee) })
        default: break
        }
      }
      return addresses
    }
  }

  /// Whether it is an address of the public Internet, and not one of this machine, of a private network, or for special purposes (RFC 6890).
  var isPublic: Bool {
    // Where the octets stand in the structures of ip(7) and ipv6(7).
    switch self {
    case .v4(let v4): withUnsafeBytes(of: v4.address) { Self.isPublic(ipv4: Array($0[4..<8])) }
    case .v6(let v6): withUnsafeBytes(of: v6.address) { Self.isPublic(ipv6: Array($0[8..<24])) }
    case .unixDomainSocket: false
    }
  }

  private static func isPublic(ipv4 octets: [UInt8]) -> Bool {
    switch (octets[0], octets[1], octets[2]) {
    case (0, _, _), (10, _, _), (127, _, _), (100, 64...127, _), (169, 254, _), (172, 16...31, _), (192, 168, _), (192, 0, 0), (192, 0, 2),
      (198, 18...19, _), (198, 51, 100), (203, 0, 113), (224..., _, _):
      false
    default: true
    }
  }

  /// Only 2000::/3 is given out; of that Teredo, documentation and 6to4 lead elsewhere.
  private static func isPublic(ipv6 octets: [UInt8]) -> Bool {
    guard octets[0] & 0xE0 == 0x20 else { return false }
    switch (octets[0], octets[1], octets[2], octets[3]) {
    case (0x20, 0x01, 0x0D, 0xB8), (0x20, 0x01, 0x00...0x01, _), (0x20, 0x02, _, _), (0x3F, 0xFF, 0x00...0x0F, _): return false
    default: return true
    }
  }
}

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

  /// A port of a host.
  init(_ address: IPAddress, port: Int) throws {
    self = try SocketAddress(packedIPAddress: ByteBuffer(bytes: address.octets), port: port)
  }

  /// The host alone; nil for what is no host.
  var host: IPAddress? {
    // Where the octets stand in the structures of ip(7) and ipv6(7).
    switch self {
    case .v4(let v4): withUnsafeBytes(of: v4.address) { IPAddress(octets: $0[4..<8]) }
    case .v6(let v6): withUnsafeBytes(of: v6.address) { IPAddress(octets: $0[8..<24]) }
    case .unixDomainSocket: nil
    }
  }

  /// Whether it is an address of the public Internet, and not one of this machine, of a private network, or for special purposes (RFC 6890).
  var isPublic: Bool { host?.purpose == .host }
}

import Glibc

/// Where a socket listens, as a person writes it.
public enum ListeningAddress: Sendable, Hashable, CustomStringConvertible {
  /// A path in the file system; an abstract name starts with `@` (unix(7)).
  case unix(path: String)
  /// A numeric IPv4 or IPv6 address and a port.
  case internet(host: String, port: UInt16)
  /// A family that is neither, or a socket that is gone.
  case unknown

  /// `/run/x.sock`, `127.0.0.1:80` or `[::1]:80`.
  public var description: String {
    switch self {
    case .unix(let path): path
    case .internet(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unknown: "unknown address"
    }
  }

  init(of descriptor: CInt) {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let known = withUnsafeMutableBytes(of: &storage) { bytes in
      guard let address = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return false }
      return getsockname(descriptor, address, &length) == 0
    }
    guard known else {
      self = .unknown
      return
    }
    let address = withUnsafeBytes(of: &storage) { Array($0.prefix(Int(length))) }
    switch CInt(storage.ss_family) {
    case AF_UNIX: self = .unix(path: Self.path(inUnixAddress: address))
    case AF_INET, AF_INET6: self = Self.internet(address) ?? .unknown
    default: self = .unknown
    }
  }

  private static func path(inUnixAddress address: [UInt8]) -> String {
    let name = address.dropFirst(MemoryLayout<sa_family_t>.size)
    if name.first == 0 { return "@" + String(decoding: name.dropFirst(), as: UTF8.self) }
    return String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
  }

  private static func internet(_ address: [UInt8]) -> ListeningAddress? {
    var host = [UInt8](repeating: 0, count: Int(NI_MAXHOST))
    var service = [UInt8](repeating: 0, count: Int(NI_MAXSERV))
    let found = address.withUnsafeBytes { address in
      host.withUnsafeMutableBytes { host in
        service.withUnsafeMutableBytes { service in
          getnameinfo(
            address.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(address.count),
            host.baseAddress?.assumingMemoryBound(to: CChar.self), socklen_t(host.count),
            service.baseAddress?.assumingMemoryBound(to: CChar.self), socklen_t(service.count),
            NI_NUMERICHOST | NI_NUMERICSERV) == 0
        }
      }
    }
    guard found, let port = UInt16(String(decoding: service.prefix { $0 != 0 }, as: UTF8.self)) else { return nil }
    return .internet(host: String(decoding: host.prefix { $0 != 0 }, as: UTF8.self), port: port)
  }
}

import CSystemd
import Glibc

/// Sockets that this process makes itself: for tests, and for tools that stand in for systemd.
extension ListeningSocket {
  /// Listens on a Unix socket. As systemd does, a socket left at the path by a process that ended is replaced; any other file is not.
  ///
  /// - Parameters:
  ///   - path: At most 107 bytes (unix(7)).
  ///   - mode: Who may connect. It holds before the first connection is possible.
  public static func bind(unixPath path: String, mode: UInt32 = 0o600, name: String = "") throws(SystemdError) -> ListeningSocket {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let fits = withUnsafeMutableBytes(of: &address.sun_path) { bytes in
      guard path.utf8.count < bytes.count else { return false }
      bytes.copyBytes(from: path.utf8)
      return true
    }
    guard fits else { throw SystemdError(.bind, path, cause: "a Unix socket's path has at most 107 bytes; choose a shorter folder") }

    var status = stat()
    if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK { unlink(path) }

    let descriptor = try makeSocket(family: AF_UNIX, subject: path)
    let bound = withUnsafeBytes(of: &address) { bindTo($0, descriptor) }
    guard bound, chmod(path, mode) == 0, listen(descriptor, unitBacklog) == 0 else { throw closing(descriptor, subject: path) }
    return ListeningSocket(descriptor: descriptor, name: name)
  }

  /// Listens on an internet address; port 0 lets the kernel choose, and `address` tells which.
  ///
  /// - Parameter host: A numeric IPv4 or IPv6 address. A name could mean several, and which one would be luck.
  public static func bind(host: String, port: UInt16, name: String = "") throws(SystemdError) -> ListeningSocket {
    let subject = "\(host) port \(port)"
    var hints = addrinfo()
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE
    hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, "\(port)", &hints, &found) == 0, let info = found else {
      throw SystemdError(.bind, subject, cause: "not a numeric IPv4 or IPv6 address")
    }
    defer { freeaddrinfo(info) }

    let descriptor = try makeSocket(family: info.pointee.ai_family, subject: subject)
    var on: CInt = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<CInt>.size))
    let bound = bindTo(UnsafeRawBufferPointer(start: info.pointee.ai_addr, count: Int(info.pointee.ai_addrlen)), descriptor)
    guard bound, listen(descriptor, unitBacklog) == 0 else { throw closing(descriptor, subject: subject) }
    return ListeningSocket(descriptor: descriptor, name: name)
  }

  private static func makeSocket(family: CInt, subject: String) throws(SystemdError) -> CInt {
    let descriptor = socket(family, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw SystemdError(.bind, subject, errno: errno) }
    return descriptor
  }

  private static func bindTo(_ address: UnsafeRawBufferPointer, _ descriptor: CInt) -> Bool {
    Glibc.bind(descriptor, address.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(address.count)) == 0
  }

  /// The error that `errno` holds now; the descriptor of the failed attempt is closed.
  private static func closing(_ descriptor: CInt, subject: String) -> SystemdError {
    let error = SystemdError(.bind, subject, errno: errno)
    _ = Glibc.close(descriptor)
    return error
  }
}

import Dispatch
import Glibc
import Synchronization

/// A stream socket with nothing between the test and the kernel, so that a test can say exactly what goes over it and when.
///
/// Blocking calls run on a queue of the socket's own: the tasks that serve it share two threads with the test.
public final class RawSocket: Sendable {
  /// What the kernel said.
  public struct Failure: Error, CustomStringConvertible {
    let call: String
    let code: CInt
    /// The call and the cause.
    public var description: String { "\(call): \(String(cString: strerror(code)))" }
  }

  /// How long a call waits before it fails; far above what any test needs.
  private static let patience = timeval(tv_sec: 20, tv_usec: 0)

  /// The open descriptor.
  public let descriptor: CInt
  private let queue = DispatchQueue(label: "raw socket")
  private let unread = Mutex<[UInt8]>([])
  private let isOpen = Mutex(true)

  private convenience init(family: CInt) throws {
    let descriptor = socket(family, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Failure(call: "socket", code: errno) }
    self.init(descriptor: descriptor)
  }

  private init(descriptor: CInt) {
    self.descriptor = descriptor
    var patience = Self.patience
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
    }
  }

  deinit { close() }

  /// A connection to a Unix socket.
  public static func connect(unix path: String) throws -> RawSocket {
    let socket = try RawSocket(family: AF_UNIX)
    try socket.check("connect", withUnixAddress(path) { Glibc.connect(socket.descriptor, $0, $1) })
    return socket
  }

  /// A Unix socket that listens.
  public static func listen(unix path: String, backlog: CInt = 4096) throws -> RawSocket {
    let socket = try RawSocket(family: AF_UNIX)
    try socket.check("bind", withUnixAddress(path) { Glibc.bind(socket.descriptor, $0, $1) })
    try socket.check("listen", Glibc.listen(socket.descriptor, backlog))
    return socket
  }

  /// A connection to a port of this host.
  public static func connect(port: UInt16, isIPv6: Bool = false) throws -> RawSocket {
    let socket = try RawSocket(family: isIPv6 ? AF_INET6 : AF_INET)
    try socket.check("connect", withLoopback(port, isIPv6) { Glibc.connect(socket.descriptor, $0, $1) })
    return socket
  }

  /// A port of this host that listens; the kernel chooses which.
  public static func listen(isIPv6: Bool = false, backlog: CInt = 4096) throws -> (socket: RawSocket, port: UInt16) {
    let socket = try RawSocket(family: isIPv6 ? AF_INET6 : AF_INET)
    try socket.check("bind", withLoopback(0, isIPv6) { Glibc.bind(socket.descriptor, $0, $1) })
    try socket.check("listen", Glibc.listen(socket.descriptor, backlog))
    var address = sockaddr_in6()
    var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    let result = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket.descriptor, $0, &length) }
    }
    try socket.check("getsockname", result)
    // sin_port and sin6_port are at the same place.
    return (socket, UInt16(bigEndian: address.sin6_port))
  }

  /// The next connection to a socket that listens.
  public func accept() async throws -> RawSocket {
    try await blocking {
      let accepted = Glibc.accept(self.descriptor, nil, nil)
      try self.check("accept", accepted)
      return RawSocket(descriptor: accepted)
    }
  }

  /// Another descriptor of the same socket: what a process that inherits it has. Whoever gets it closes it.
  public func duplicate() throws -> CInt {
    let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    try check("fcntl", copy)
    return copy
  }

  /// Sends all of it.
  public func send(_ text: String) async throws { try await send(Array(text.utf8)) }

  /// Sends all of it, while somebody else waits for what comes.
  public func sendAside(_ text: String) async throws {
    try await Task.detached { try self.sendNow(Array(text.utf8)) }.value
  }

  /// Sends all of it.
  public func send(_ bytes: [UInt8]) async throws {
    try await blocking { try self.sendNow(bytes) }
  }

  private func sendNow(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
      try check("send", CInt(count))
      rest = rest.dropFirst(count)
    }
  }

  /// What comes before `end`, which is dropped; nil at the end of the stream.
  public func receive(until end: String) async throws -> String? {
    let end = Array(end.utf8)
    return try await blocking {
      while true {
        let found = self.unread.withLock { unread -> String? in
          guard let start = unread.indices.first(where: { unread[$0...].starts(with: end) }) else { return nil }
          defer { unread.removeFirst(start + end.count) }
          return String(decoding: unread[..<start], as: UTF8.self)
        }
        if let found { return found }
        guard try self.fill() else { return nil }
      }
    }
  }

  /// Exactly so many bytes, as text; nil if the stream ends before.
  public func receive(count: Int) async throws -> String? {
    try await receive(bytes: count).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Exactly so many bytes; nil if the stream ends before.
  public func receive(bytes count: Int) async throws -> [UInt8]? {
    try await blocking {
      while self.unread.withLock({ $0.count < count }) {
        guard try self.fill() else { return nil }
      }
      return self.unread.withLock { unread in
        defer { unread.removeFirst(count) }
        return Array(unread[..<count])
      }
    }
  }

  /// All that comes until the end of the stream. A reset is an end too.
  public func receiveAll() async throws -> String {
    try await blocking {
      while try self.fill() {}
      return self.unread.withLock { unread in
        defer { unread = [] }
        return String(decoding: unread, as: UTF8.self)
      }
    }
  }

  /// Says that no more is sent.
  public func closeOutput() { _ = shutdown(descriptor, CInt(SHUT_WR)) }

  /// Closes the socket.
  public func close() {
    let wasOpen = isOpen.withLock { isOpen in
      defer { isOpen = false }
      return isOpen
    }
    if wasOpen { _ = Glibc.close(descriptor) }
  }

  private func fill() throws -> Bool {
    var chunk = [UInt8](repeating: 0, count: 65_536)
    let count = recv(descriptor, &chunk, chunk.count, 0)
    if count < 0, errno == ECONNRESET { return false }
    try check("recv", CInt(count))
    unread.withLock { $0 += chunk[..<count] }
    return count > 0
  }

  private func check(_ call: String, _ result: CInt) throws {
    guard result >= 0 else { throw Failure(call: call, code: errno) }
  }

  private func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Result { try body() }) }
    }
  }

  private static func withUnixAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt) -> CInt {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
    return withUnsafePointer(to: address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
  }

  private static func withLoopback(_ port: UInt16, _ isIPv6: Bool, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt) -> CInt {
    if isIPv6 {
      let address = sockaddr_in6(
        sin6_family: sa_family_t(AF_INET6), sin6_port: port.bigEndian, sin6_flowinfo: 0, sin6_addr: in6addr_loopback, sin6_scope_id: 0)
      return withUnsafePointer(to: address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in6>.size)) }
      }
    }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }
}

import Glibc

/// A stream socket that already listens: the kernel queues connections on it before anyone accepts.
///
/// The value is a name for a descriptor, not its owner: whoever serves it closes it, once.
public struct ListeningSocket: Sendable, Hashable {
  /// The backlog of the socket units of this project, and the kernel's own ceiling (`net.core.somaxconn`) by default.
  public static let unitBacklog: CInt = 4096

  /// The open descriptor.
  public let descriptor: CInt
  /// The role of the socket: `FileDescriptorName=` of its unit (systemd.socket(5)).
  public let name: String

  /// Names a descriptor that listens already.
  public init(descriptor: CInt, name: String) {
    self.descriptor = descriptor
    self.name = name
  }

  /// Where it listens, asked of the kernel.
  public var address: ListeningAddress { ListeningAddress(of: descriptor) }

  /// Puts the length of the accept queue back to that of the socket unit.
  ///
  /// SwiftNIO calls `listen(2)` on a descriptor it is handed with a backlog of its own (128), whatever its backlog option says, and that
  /// takes effect on the shared socket. Call this once it has: a later `listen` changes nothing but the length.
  public func restoreBacklog(_ backlog: CInt = unitBacklog) throws(SystemdError) {
    guard listen(descriptor, backlog) == 0 else { throw SystemdError(.notListening, "socket \(name)", errno: errno) }
  }

  /// Closes the descriptor. The path of a Unix socket stays: it is its maker's.
  public func close() {
    _ = Glibc.close(descriptor)
  }
}

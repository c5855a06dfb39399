import CSystemd
import Glibc
import NIOCore

/// Who is at the other end of a Unix-socket connection, as the kernel noted when it connected (unix(7), SO_PEERCRED).
/// For the audit only: what a caller may do is decided by the socket it came in on.
public struct PeerCredentials: Sendable, Hashable {
  /// The process; by now its number may name another one.
  public let processID: Int32
  /// The user.
  public let userID: UInt32
  /// The user's group.
  public let groupID: UInt32

  /// The peer of an accepted connection; nil where the transport has none.
  static func ofPeer(on channel: any Channel) -> EventLoopFuture<PeerCredentials?> {
    guard let provider = channel as? any SocketOptionProvider else { return channel.eventLoop.makeSucceededFuture(nil) }
    let credentials: EventLoopFuture<peer_credentials> = provider.unsafeGetSocketOption(level: .socket, name: .init(rawValue: SO_PEERCRED))
    return credentials.map { PeerCredentials(processID: $0.pid, userID: $0.uid, groupID: $0.gid) }.recover { _ in nil }
  }
}

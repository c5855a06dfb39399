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

  /// Who made the call that the task at hand serves; nil outside of a call.
  @TaskLocal public static var caller: PeerCredentials?

  /// The peer of an accepted connection; nil where the transport has none.
  static func ofPeer(on channel: any Channel) -> EventLoopFuture<PeerCredentials?> {
    guard let provider = channel as? any SocketOptionProvider else { return channel.eventLoop.makeSucceededFuture(nil) }
    let credentials: EventLoopFuture<peer_credentials> = provider.unsafeGetSocketOption(level: .socket, name: .init(rawValue: SO_PEERCRED))
    return credentials.map { PeerCredentials(processID: $0.pid, userID: $0.uid, groupID: $0.gid) }.recover { _ in nil }
  }
}

extension PeerCredentials: CustomStringConvertible {
  /// The user, as `root (uid 0)`, or `uid 0` where the system knows no name. Looked up each time, which may take a while.
  public var description: String { userName.map { "\($0) (uid \(userID))" } ?? "uid \(userID)" }

  private var userName: String? {
    // What getpwuid_r(3) needs for one entry; a longer one is no person's.
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16_384) { buffer in
      var entry = passwd()
      var found: UnsafeMutablePointer<passwd>?
      guard let space = buffer.baseAddress, getpwuid_r(userID, &entry, space, buffer.count, &found) == 0, let name = found?.pointee.pw_name else {
        return nil
      }
      return String(cString: name)
    }
  }
}

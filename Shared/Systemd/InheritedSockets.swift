import CSystemd
import Glibc
import Synchronization

/// The listening sockets that systemd, or who stands in for it, passed to this process (sd_listen_fds(3)).
///
/// Each can be claimed once, so that two servers never accept from one descriptor, and what nobody claimed can be told.
public final class InheritedSockets: Sendable {
  private let unclaimedSockets: Mutex<[ListeningSocket]>

  /// The given sockets, as if they had been inherited.
  public init(_ sockets: [ListeningSocket] = []) {
    unclaimedSockets = Mutex(sockets)
  }

  /// Takes over what was passed, by name. Close-on-exec is set and `LISTEN_FDS`, `LISTEN_PID` and `LISTEN_FDNAMES` are cleared, so that no
  /// child mistakes the sockets for its own; a second call finds none. Call it before there are other threads, for it changes the environment.
  public static func take() throws(SystemdError) -> InheritedSockets {
    var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    let count = sd_listen_fds_with_names(1, &names)
    guard count >= 0 else { throw SystemdError(.inheritance, "LISTEN_FDS", errno: -count) }
    var sockets: [ListeningSocket] = []
    for index in 0..<Int(count) {
      let name = names?[index]
      sockets.append(ListeningSocket(descriptor: SD_LISTEN_FDS_START + CInt(index), name: name.map { String(cString: $0) } ?? ""))
      free(name)
    }
    free(names)
    for socket in sockets where sd_is_socket(socket.descriptor, AF_UNSPEC, CInt(SOCK_STREAM.rawValue), 1) <= 0 {
      throw SystemdError(
        .notListening, "inherited descriptor \(socket.descriptor) (\(socket.name))",
        cause: "is no listening stream socket; the socket unit must use ListenStream= and Accept=no")
    }
    return InheritedSockets(sockets)
  }

  /// The sockets of that name, in the order of the unit's `Listen…=` lines; empty if there are none or they are claimed already.
  public func claim(_ name: String) -> [ListeningSocket] {
    unclaimedSockets.withLock { sockets in
      let claimed = sockets.filter { $0.name == name }
      sockets.removeAll { $0.name == name }
      return claimed
    }
  }

  /// What nobody has claimed so far: connections to these would wait for ever.
  public var unclaimed: [ListeningSocket] { unclaimedSockets.withLock { $0 } }
}

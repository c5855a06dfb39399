import CSystemd
import Glibc

/// What a service tells its service manager (sd_notify(3)).
public enum ServiceNotification: Sendable, Hashable {
  /// Start-up, or a reload, is over.
  case ready
  /// The settings are being read again; the time is that of `CLOCK_MONOTONIC`, in microseconds.
  case reloading(monotonicMicroseconds: UInt64)
  /// The service is about to end.
  case stopping
  /// One line for `systemctl status`.
  case status(String)
  /// Still alive: due within each `WatchdogSec=`.
  case watchdog

  /// `reloading`, beginning now.
  public static var reloadingNow: ServiceNotification {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return .reloading(monotonicMicroseconds: UInt64(now.tv_sec) * 1_000_000 + UInt64(now.tv_nsec) / 1_000)
  }

  /// The variable assignments of the protocol, one per line.
  public var assignments: String {
    switch self {
    case .ready: "READY=1"
    case .reloading(let microseconds): "RELOADING=1\nMONOTONIC_USEC=\(microseconds)"
    case .stopping: "STOPPING=1"
    // A line break would begin an assignment of the text's choosing.
    case .status(let text): "STATUS=" + String(text.map { $0.isNewline ? " " : $0 })
    case .watchdog: "WATCHDOG=1"
    }
  }

  /// Sends the notifications as one datagram. False when no service manager listens (`NOTIFY_SOCKET` is not set) or it could not be reached,
  /// which is nobody's failure: a service runs as well without.
  @discardableResult
  public static func send(_ notifications: ServiceNotification...) -> Bool {
    sd_notify(0, notifications.map(\.assignments).joined(separator: "\n")) > 0
  }
}

/// The service manager's wish to hear from this process again and again.
public enum Watchdog {
  /// The longest silence before this process is killed (`WatchdogSec=`); nil when nobody watches. Half of it is the time to notify at.
  public static var interval: Duration? {
    var microseconds: UInt64 = 0
    guard sd_watchdog_enabled(0, &microseconds) > 0, let bounded = Int64(exactly: microseconds) else { return nil }
    return .microseconds(bounded)
  }
}

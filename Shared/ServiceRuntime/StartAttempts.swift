import FoundationEssentials
import Logging
import Systemd
import Telemetry

/// Starts what a service consists of. While something it keeps cannot be used (a disk that is full or read-only, a file that is not its user's)
/// it tries again every second, until that is mended.
///
/// systemd would start the process again as often, with five lines in the journal each time. Here one line says what is in the way, and another one
/// only when that has changed; `systemctl status` shows it as long as it stands. Systemd is told that the service is ready: neither the start of
/// the machine nor that of the package is to wait for a person. Who connects waits in the sockets, as at every start.
struct StartAttempts {
  /// How long it takes at most to notice that the cause is mended: no event tells of it.
  var pause = Duration.seconds(1)
  /// Where the service keeps what it writes, if it does.
  let folder: URL?
  let logger: Logger

  /// A disk that was mounted for writing is so for processes that begin after it.
  struct Outdated: Error {}

  /// Returns what has started.
  /// - Throws: what only another process can do without (``ServiceRuntimeError/isOfLaunch``), or ``Outdated``.
  func run<Started>(_ start: () async throws -> Started) async throws -> Started {
    var told: String?
    while true {
      do {
        let started = try await start()
        if told != nil {
          logger.notice("started, for what was in the way is mended")
          ServiceNotification.send(.status("Started"))
        }
        return started
      } catch {
        if let error = error as? ServiceRuntimeError, error.isOfLaunch { throw error }
        let cause = "\(error)"
        if cause != told {
          logger.log(.startFailed, "cannot start, and tries again until it can: \(error)")
          ServiceNotification.send(.ready, .status("Cannot start: \(cause)"))
        }
        told = cause
        if let folder, let mount = MountPoint(of: folder.path(percentEncoded: false)), mount.isOutdated { throw Outdated() }
      }
      ServiceNotification.send(.watchdog)
      try await Task.sleep(for: pause)
    }
  }
}

import Logging
import ServiceLifecycle
import Systemd
import Telemetry
import UnixSignals

/// Tells the service manager how this process is: ready, reloading, alive, stopping.
///
/// SIGHUP asks for a reload, as `ExecReload=kill -HUP $MAINPID` does: `Type=notify-reload` needs a systemd newer than Debian 12's.
struct SystemdNotifier: Service, CustomStringConvertible {
  let reloads: ReloadHandlers
  /// Returns when the process can still do work: a watchdog that only proves its own timer is none.
  let pulse: @Sendable () async throws -> Void
  let logger: Logger

  var description: String { "systemd notifier" }

  func run() async {
    // Caught from here on, so before READY=1 tells anyone that a reload may be asked for.
    let hangups = await UnixSignalsSequence(trapping: .sighup)
    ServiceNotification.send(.ready)
    await withDiscardingTaskGroup { tasks in
      tasks.addTask { await reload(on: hangups) }
      tasks.addTask { await feedWatchdog() }
      try? await gracefulShutdown()
      ServiceNotification.send(.stopping)
      tasks.cancelAll()
    }
  }

  private func reload(on hangups: UnixSignalsSequence) async {
    for await _ in hangups {
      ServiceNotification.send(.reloadingNow)
      do {
        try await reloads.run()
        logger.info("reloaded")
        ServiceNotification.send(.ready, .status("Reloaded"))
      } catch {
        logger.log(.reloadFailed, "reload failed, going on as before", error: error)
        ServiceNotification.send(.ready, .status("Reload failed: \(error)"))
      }
    }
  }

  private func feedWatchdog() async {
    guard let interval = Watchdog.interval else { return }
    while (try? await Task.sleep(for: interval / 2)) != nil, (try? await pulse()) != nil {
      ServiceNotification.send(.watchdog)
    }
  }
}

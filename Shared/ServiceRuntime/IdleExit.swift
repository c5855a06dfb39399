import Logging
import ServiceLifecycle
import Telemetry

/// Ends the process, as a service that returns, when it has been idle for long enough: its socket units start it again at the next connection.
///
/// Put it last in the service group with `.gracefullyShutdownGroup` as its success behaviour. The last is asked first to stop, so that it can
/// never end on its own while the others are stopping, which the group would take for a failure.
struct IdleExit: Service, CustomStringConvertible {
  let activity: Activity
  let limit: Duration
  let logger: Logger

  var description: String { "idle exit" }

  func run() async {
    do {
      try await cancelWhenGracefulShutdown { try await activity.idle(for: limit) }
      logger.info("idle, ending; the next connection starts the service again", metadata: [.pause: limit])
    } catch {
      // Asked to stop for another reason.
    }
  }
}

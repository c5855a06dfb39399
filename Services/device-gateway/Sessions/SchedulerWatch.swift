import Logging
import NIOConcurrencyHelpers
import SchedulerAPI
import Varlink

/// Listens to the scheduler for as long as the gateway lives, and takes up again whenever the stream ends.
struct SchedulerWatch: Sendable {
  let scheduler: VarlinkClient
  let devices: Devices
  let ownDevice: OwnDevice
  let proxies: TrustedProxies
  let logger: Logger
  /// The first pause after a stream that came to nothing; it doubles up to the last.
  var pauses: ClosedRange<Duration> = .milliseconds(50) ... .seconds(2)

  /// Runs until it is cancelled.
  func run() async {
    var pause = pauses.lowerBound
    while !Task.isCancelled {
      let isOpen = NIOLockedValueBox(false)
      do {
        _ = try await scheduler.stream(SchedulerMethods.Watch.self, OnlyTrace()) { item in
          devices.route(item)
          ownDevice.hear(item)
          proxies.hear(item)
          // The first item, the settings, says that the stream is open: who registers from now on is told what is undelivered.
          let wasOpen = isOpen.withLockedValue { isOpen in
            defer { isOpen = true }
            return isOpen
          }
          if !wasOpen { devices.registerAll() }
        }
      } catch is CancellationError {
        return
      } catch {
        logger.notice("the scheduler's stream ended and is opened again", error: error)
        proxies.settle()
      }
      pause = isOpen.withLockedValue { $0 } ? pauses.lowerBound : min(pause * 2, pauses.upperBound)
      try? await Task.sleep(for: pause)
    }
  }
}

import NIOConcurrencyHelpers
import NIOCore
import PKI

/// Closes the connections whose secret holds no longer: when logins change, and when the overlap of an old secret with its new one is over.
final class EndedLogins: Sendable {
  private let authenticator: Authenticator
  private let devices: Devices
  private let clock: WallClock
  private let eventLoop: any EventLoop
  /// Rings at the end of the next overlap.
  private let alarm = NIOLockedValueBox<Scheduled<Void>?>(nil)

  init(authenticator: Authenticator, devices: Devices, clock: WallClock, eventLoop: any EventLoop) {
    self.authenticator = authenticator
    self.devices = devices
    self.clock = clock
    self.eventLoop = eventLoop
    closeConnections()
  }

  /// Closes what has ended by now, and comes back when the next overlap is over.
  func closeConnections() {
    alarm.withLockedValue { alarm in
      let (book, now) = (authenticator.book, clock.now())
      devices.close { !book.holds($0.secret, of: $0.login, at: now) }
      alarm?.cancel()
      // Rung too early, because the clock was set meanwhile or an overlap ends in years, it is wound up again.
      alarm = book.nextEnd(after: now).map { end in
        eventLoop.scheduleTask(in: TimeAmount(min(end - now, .seconds(86_400)))) { [weak self] in self?.closeConnections() }
      }
    }
  }
}

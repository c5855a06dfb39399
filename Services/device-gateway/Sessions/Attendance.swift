import Logging
import NIOConcurrencyHelpers
import SchedulerAPI

/// Tells the scheduler which devices are connected: all of them every quarter of an hour, and those that leave within a minute.
final class Attendance: Sendable {
  private let devices: Devices
  private let leavers = NIOLockedValueBox<Set<DeviceID>>([])
  private let pause: Duration
  /// After so many pauses all are told.
  private static let roll = 15

  init(of devices: Devices, pause: Duration = .seconds(60)) {
    self.devices = devices
    self.pause = pause
  }

  /// A device's connection has ended.
  func left(_ device: DeviceID) { leavers.withLockedValue { _ = $0.insert(device) } }

  /// Tells for as long as the gateway lives.
  func run(_ scheduler: SchedulerClient) async {
    var turn = 0
    while (try? await Task.sleep(for: pause)) != nil {
      turn += 1
      let gone = leavers.withLockedValue { leavers in
        defer { leavers = [] }
        return leavers
      }
      let all = turn % Self.roll == 0 ? gone.union(devices.connected) : gone
      do {
        try await tell(Array(all), scheduler)
      } catch {
        scheduler.logger.notice("the scheduler could not be told who is connected", error: error)
      }
    }
  }

  private func tell(_ devices: [DeviceID], _ scheduler: SchedulerClient) async throws {
    for start in stride(from: 0, to: devices.count, by: SchedulerMethods.NoteConnected.most) {
      try await scheduler.note(connected: Array(devices[start...].prefix(SchedulerMethods.NoteConnected.most)))
    }
  }
}

import GRDB
import PKI
import SchedulerAPI

/// The last visit of a device: from when until when it was known to be connected.
struct VisitRecord: Codable, FetchableRecord {
  let device: DeviceID
  let beganAt: Instant
  let seenAt: Instant

  /// Twice as long as the gateway takes to say again who is connected: after that another visit begins.
  private static let longestSilence = Duration.seconds(1_800)
  /// What is noted of a device is not noted again within that time.
  private static let pause = Duration.seconds(300)

  var time: ClosedRange<Instant> { min(beganAt, seenAt)...seenAt }

  static func of(_ device: DeviceID, from database: Database) throws -> VisitRecord? {
    try fetchOne(database, sql: "SELECT * FROM visit WHERE device = ?", arguments: [device.rawValue])
  }

  /// These devices are connected now, or were a moment ago. What is not known, or retired, is passed over.
  static func note(_ devices: [DeviceID], at now: Instant, in database: Database) throws {
    let statement = try database.cachedStatement(
      sql: """
        INSERT INTO visit (device, beganAt, seenAt) SELECT id, :now, :now FROM device WHERE id = :device AND retiredAt IS NULL
        ON CONFLICT (device) DO UPDATE
          SET beganAt = iif(seenAt NOT BETWEEN :now - :silence AND :now, excluded.beganAt, beganAt), seenAt = excluded.seenAt
          WHERE seenAt NOT BETWEEN :now - :pause AND :now
        """)
    for device in devices {
      try statement.execute(
        arguments: [
          "device": device.rawValue, "now": now.milliseconds, "silence": longestSilence.components.seconds * 1_000,
          "pause": pause.components.seconds * 1_000,
        ])
    }
  }
}

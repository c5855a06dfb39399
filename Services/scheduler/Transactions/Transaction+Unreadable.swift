import GRDB
import SchedulerAPI

// What one version has written and another cannot read, or a disk has forgotten.
extension Transaction {
  /// The requests in these rows. One that cannot be read is set aside, so that it stands in the way of no other.
  mutating func readable(_ rows: [Row]) throws -> [RequestRecord] {
    var requests: [RequestRecord] = []
    for row in rows {
      do { requests.append(try RequestRecord(row: row)) } catch { try setAside(row, because: error) }
    }
    return requests
  }

  /// It is history from now on, and is told once.
  private mutating func setAside(_ row: Row, because error: any Error) throws {
    let (id, device, slot, state): (String, String, String, String) = (row["id"], row["device"], row["slot"], row["state"])
    try database.execute(
      sql: """
        UPDATE request SET state = 'superseded', nextAttempt = NULL, dueAt = NULL, waitUntil = NULL, waitFor = NULL, isHeldByClient = 0 WHERE id = ?
        """,
      arguments: [id])
    try record(
      Event(
        .orderFailed,
        "internalError: the stored request \(id) of slot \(slot), which was \(state), cannot be read and is set aside "
          + "(\("\(error)".line(of: 500))); have the device hand in its CSR again.",
        device: DeviceID(rawValue: device), request: RequestID(rawValue: id)))
  }
}

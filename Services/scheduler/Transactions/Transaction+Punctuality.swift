import ACMEClientAPI
import GRDB
import PKI
import SchedulerAPI

// Whether the scheduler itself is late.
extension Transaction {
  /// Since when the longest overdue could have been begun, of what catching up is about to begin: since it was due, or since the look before, for a
  /// moment may have been set that was over already.
  mutating func overdueSince() throws -> Instant? {
    let looked = try Mark.looked.moment(in: database)
    if looked.map({ !($0...($0 + Self.markPause)).contains(now) }) ?? true { try Mark.looked.write(now, to: database) }
    let moments = [
      "SELECT min(nextAttempt) FROM request WHERE nextAttempt IS NOT NULL", "SELECT min(dueAt) FROM request WHERE dueAt IS NOT NULL",
      "SELECT min(dueAt) FROM renewal WHERE state = 'waiting'",
    ]
    guard let looked, let due = try moments.compactMap({ try Instant.fetchOne(database, cached: $0) }).min(), due < now else { return nil }
    return max(due, looked)
  }

  /// Raises the alarm that the scheduler is late, or ends it; for the end of a look at the queue. It stands for a while at least, so that it is seen.
  mutating func reviewPunctuality(overdueSince: Instant?) throws {
    let punctuality = Punctuality(overdueSince: overdueSince, waitingSince: try waitingSince())
    let standing = try AlarmRecord.of(nil, from: database).first { $0.code == .schedulerLate }
    if let alarm = punctuality.alarm(at: now) {
      try raise(alarm, of: nil, slot: "", over: standing)
    } else if let standing, now >= standing.since + settings.alarmPause {
      try clear(standing)
    }
  }

  /// Since when the order that waits longest waits for nothing but its turn; nil where none does, or the CA cannot be used.
  private func waitingSince() throws -> Instant? {
    guard let authority = settings.authority else { return nil }
    guard try AuthorityRecord.health(of: DirectoryURL(authority.directory), from: database).outage == nil else { return nil }
    guard let waiting = try RequestRecord.waitingSince(at: now, from: database) else { return nil }
    // While the CA could not be used, it was the CA that held them back.
    return max(waiting, try EventRecord.latest(.authorityRecovered, from: database) ?? waiting)
  }

  /// How old the mark of the last look may become: it is not written each time.
  private static let markPause = Duration.seconds(600)
}

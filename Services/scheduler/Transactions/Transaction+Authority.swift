import GRDB
import PKI
import SchedulerAPI

// What orders show of the CA.
extension Transaction {
  /// To so many devices whose turn had come it is told at once that an outage has begun; the others hear it when they ask.
  private static let mostTold = 256

  /// Whether an order of the CA may begin now.
  mutating func mayOrder(from directory: String) throws -> Bool {
    let url = DirectoryURL(directory)
    var health = try AuthorityRecord.health(of: url, from: database)
    let before = health
    let may = health.mayOrder(at: now)
    if health != before { try AuthorityRecord.keep(health, of: url, in: database) }
    return may
  }

  /// An order of the CA that might begin was not made.
  mutating func noteNoOrder(from directory: String) throws {
    let url = DirectoryURL(directory)
    var health = try AuthorityRecord.health(of: url, from: database)
    let before = health
    health.orderNotMade(at: now)
    if health != before { try AuthorityRecord.keep(health, of: url, in: database) }
    hasWork = true
  }

  /// An order of the CA has ended; with a certificate if there is no failure.
  mutating func noteOrder(from directory: String, _ failure: AttemptFailure?) throws {
    let url = DirectoryURL(directory)
    var health = try AuthorityRecord.health(of: url, from: database)
    let before = health
    let remarks = health.take(failure, jitter: chance.fraction(), at: now)
    if health != before { try AuthorityRecord.keep(health, of: url, in: database) }
    for remark in remarks {
      switch remark {
      case .failed(let failure):
        try record(
          Event(
            .authorityFailed, "No certificates can be obtained from \(directory): \(failure.explanation) Orders wait until that is over."))
        for alarm in try AlarmRecord.of(nil, from: database) where alarm.slot == url.key && alarm.code != AlarmCode(failure) { try clear(alarm) }
        let standing = try AlarmRecord.of(nil, from: database).first { $0.slot == url.key }
        try raise(
          Alarm(code: AlarmCode(failure), severity: .major, text: "No certificates can be obtained from \(directory): \(failure.explanation)"),
          of: nil, slot: url.key, over: standing)
        for request in try readable(RequestRecord.inTurn(Self.mostTold, at: now, from: database)) where request.phase == .queued { announce(request) }
      case .recovered(let since):
        try record(Event(.authorityRecovered, "Certificates can be obtained from \(directory) again; they could not since \(since)."))
        for alarm in try AlarmRecord.of(nil, from: database) where alarm.slot == url.key { try clear(alarm) }
        for request in try readable(RequestRecord.waitingForAuthority(from: database)) { try tryAgain(request) }
      }
    }
    hasWork = true
  }

  /// Somebody has perhaps mended what was wrong: the next order is made at once.
  mutating func tryAuthoritiesNow() throws {
    try database.execute(sql: "UPDATE authorityOutage SET retryAt = ?", arguments: [now.milliseconds])
    hasWork = true
  }

  /// A pause is over.
  mutating func tryAgain(_ request: RequestRecord) throws {
    if try !claimLostNames(of: request) { try handle(.triedAgain, of: request) }
  }
}

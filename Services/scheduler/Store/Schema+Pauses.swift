import GRDB
import PKI

extension Schema {
  /// Lets no pause last longer than its longest: the clock may have been wrong when it was set.
  static func shortenPauses(at now: Instant, in database: Database) throws {
    let longest = now + RetryPause.longest + RetryPause.widestSpread
    try shorten("nextAttempt", of: "request", to: longest, in: database)
    try shorten("retryAt", of: "authorityOutage", to: longest, in: database)
    try shorten("waitUntil", of: "request", to: now + .days(14), in: database)
    // Twice the longest time for which a CA counts.
    try shorten("fullAt", of: "ledger", to: now + .days(14), in: database)
    try shorten("pollAt", of: "renewal", to: now + .days(1), in: database)
    try shorten("answerBy", of: "renewal", to: now + .days(1), in: database)
    try shorten("tellAt", of: "alarm", to: now + .days(1), in: database)
  }

  private static func shorten(_ column: String, of table: String, to latest: Instant, in database: Database) throws {
    try database.execute(sql: "UPDATE \(table) SET \(column) = ? WHERE \(column) > ?", arguments: [latest.milliseconds, latest.milliseconds])
  }
}

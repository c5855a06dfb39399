import GRDB
import PKI

extension Schema {
  /// Lets nothing wait longer than it ever has to: a moment further ahead was kept under a clock that was wrong. What waits for the CA has waited long
  /// enough; devices get their time once more. The moments of the ledger are judged where they are read.
  static func endImpossiblePauses(at now: Instant, in database: Database) throws {
    let inOutage = now + RetryPause.longestInOutage + RetryPause.widestSpread
    try set("nextAttempt", of: "request", to: now, beyond: now + RetryPause.longest + RetryPause.widestSpread, in: database)
    try set("nextAttempt", of: "request", to: now, beyond: inOutage, where: "outages > 0", in: database)
    try set("retryAt", of: "authorityOutage", to: now, beyond: inOutage, in: database)
    // Twice the longest time for which a CA counts.
    try set("waitUntil", of: "request", to: now, beyond: now + .days(14), in: database)
    // The longest pause between two certificates for the same names.
    try set("waitUntil", of: "request", to: now, beyond: now + .days(1), where: "waitFor IS NULL", in: database)
    for (column, table) in [("pollAt", "renewal"), ("answerBy", "renewal"), ("tellAt", "alarm")] {
      try set(column, of: table, to: now + .days(1), beyond: now + .days(1), in: database)
    }
  }

  private static func set(
    _ column: String, of table: String, to moment: Instant, beyond latest: Instant, where condition: String = "true", in database: Database
  ) throws {
    try database.cachedStatement(sql: "UPDATE \(table) SET \(column) = ? WHERE \(column) > ? AND \(condition)")
      .execute(arguments: [moment.milliseconds, latest.milliseconds])
  }
}

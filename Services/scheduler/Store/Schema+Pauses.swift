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
    // The longest pause between two certificates for the same names.
    try set("waitUntil", of: "request", to: now, beyond: now + .days(1), where: "waitFor IS NULL", in: database)
    try endImpossibleTurns(at: now, in: database)
    for (column, table) in [("pollAt", "renewal"), ("answerBy", "renewal"), ("tellAt", "alarm")] {
      try set(column, of: table, to: now + .days(1), beyond: now + .days(1), in: database)
    }
  }

  /// Somebody's turn at a limit comes within twice the longest time for which a CA counts; those behind him may wait longer.
  private static func endImpossibleTurns(at now: Instant, in database: Database) throws {
    let latest = now + .days(14)
    guard let last = try Instant.fetchOne(database, cached: "SELECT max(waitUntil) FROM request WHERE waitUntil IS NOT NULL"), last > latest else {
      return
    }
    let limits = try String.fetchAll(
      database.cachedStatement(sql: "SELECT waitFor FROM request WHERE waitFor IS NOT NULL GROUP BY waitFor HAVING min(waitUntil) > ?"),
      arguments: [latest.milliseconds])
    for limit in limits {
      try database.execute(sql: "UPDATE request SET waitUntil = ? WHERE waitFor = ?", arguments: [now.milliseconds, limit])
    }
  }

  private static func set(
    _ column: String, of table: String, to moment: Instant, beyond latest: Instant, where condition: String = "true", in database: Database
  ) throws {
    try database.cachedStatement(sql: "UPDATE \(table) SET \(column) = ? WHERE \(column) > ? AND \(condition)")
      .execute(arguments: [moment.milliseconds, latest.milliseconds])
  }
}

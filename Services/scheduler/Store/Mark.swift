import GRDB
import PKI

/// A number that the scheduler keeps of itself.
enum Mark: String {
  /// When it last looked at what is due; kept now and then, not each time.
  case looked
  /// Which state of the database this is; see ``Provenance``.
  case generation
  /// When this was copied as a backup; the scheduler that finds it at work knows what it is.
  case copied
  /// By which limits, of which CA, those were told their turns who wait; a number of its own for each.
  case limits
  /// When a backup was put in the place of a newer state.
  case restored

  /// IF NOT EXISTS, for a backup of an older version has it too.
  static let table = "CREATE TABLE IF NOT EXISTS mark (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"

  func number(in database: Database) throws -> Int64? {
    try Int64.fetchOne(database.cachedStatement(sql: "SELECT value FROM mark WHERE name = ?"), arguments: [rawValue])
  }

  func moment(in database: Database) throws -> Instant? { try number(in: database).map(Instant.init(milliseconds:)) }

  func write(_ number: Int64, to database: Database) throws {
    try database.execute(
      sql: "INSERT INTO mark (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", arguments: [rawValue, number])
  }

  func remove(from database: Database) throws {
    try database.execute(sql: "DELETE FROM mark WHERE name = ?", arguments: [rawValue])
  }

  func write(_ moment: Instant, to database: Database) throws { try write(moment.milliseconds, to: database) }
}

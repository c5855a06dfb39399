import FoundationEssentials
import GRDB
import PKI

/// How the database came to its present form, version by version. Times are UTC milliseconds; lists and optional groups of members are JSON.
enum Schema {
  /// The version that this program writes; SQLite keeps it as `user_version`.
  static let version = 6

  /// Brings the database to the present version. One of an older version is saved first, for there is no way back.
  static func prepare(_ pool: DatabasePool, at file: URL, now: Instant) throws {
    let found = try pool.read { try version(of: $0) }
    guard found <= version else {
      let backup = DatabaseBackup.latest(of: file, upTo: version)?.file.path(percentEncoded: false)
      throw StoreError(
        path: file.path(percentEncoded: false),
        cause: "was written by a newer version of this program (schema \(found), this one knows \(version)); install that version again, or restore "
          + (backup.map { "the backup \($0)" } ?? "a backup of your own, for there is none of this version beside it"))
    }
    if found > 0, found < version { _ = try DatabaseBackup.save(pool, of: file, at: now) }
    try migrator.migrate(pool)
  }

  static func version(of database: Database) throws -> Int {
    try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
  }

  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1") { database in
      try database.execute(sql: firstTables)
      try database.execute(sql: "PRAGMA user_version = 1")
    }
    migrator.registerMigration("2") { database in
      try database.execute(sql: ordersWithTheirAuthority)
      try database.execute(sql: "PRAGMA user_version = 2")
    }
    migrator.registerMigration("3") { database in
      try database.execute(sql: renewals)
      try database.execute(sql: "PRAGMA user_version = 3")
    }
    migrator.registerMigration("4") { database in
      for tables in [Mark.table, receipts, retirement, demands, campaigns, adoption] { try database.execute(sql: tables) }
      try database.execute(sql: "PRAGMA user_version = 4")
    }
    migrator.registerMigration("5") { database in
      for tables in [largeFleets, delivery, visits] { try database.execute(sql: tables) }
      try database.execute(sql: "PRAGMA user_version = 5")
    }
    migrator.registerMigration("6") { database in
      try database.execute(sql: turns)
      try database.execute(sql: "PRAGMA user_version = 6")
    }
    return migrator
  }
}

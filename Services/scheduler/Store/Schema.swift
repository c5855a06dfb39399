import FoundationEssentials
import GRDB
import PKI

/// The tables, by the versions in which they came to be. Times are UTC milliseconds; lists and optional groups of members are JSON.
enum Schema {
  /// The version that this program writes; SQLite keeps it as `user_version`.
  static let version = 5

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
    return migrator
  }

  /// An order keeps the authority it began with, outages are counted apart from failures, and events are counted by kind.
  private static let ordersWithTheirAuthority = """
    ALTER TABLE request ADD COLUMN orderedFrom TEXT;
    ALTER TABLE request ADD COLUMN outages INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX eventByKind ON event (device, code, at);
    """

  /// The newest certificate of each slot has a schedule, a CSR can wait until it is due, and a certificate is offered again until it is confirmed.
  /// The schedules of certificates that are there already are reckoned at the start: their rule is none.
  private static let renewals = """
    ALTER TABLE request ADD COLUMN dueAt INTEGER;
    CREATE INDEX requestByDueAt ON request (dueAt) WHERE dueAt IS NOT NULL;
    ALTER TABLE certificate ADD COLUMN announceAt INTEGER;
    CREATE INDEX certificateByAnnouncement ON certificate (announceAt) WHERE announceAt IS NOT NULL;

    CREATE TABLE renewal (
      request TEXT NOT NULL PRIMARY KEY REFERENCES request (id) ON DELETE CASCADE,
      device TEXT NOT NULL,
      slot TEXT NOT NULL,
      notBefore INTEGER NOT NULL,
      notAfter INTEGER NOT NULL,
      issuedAt INTEGER NOT NULL,
      windowStart INTEGER,
      windowEnd INTEGER,
      chosenAt INTEGER,
      explanation TEXT,
      isPressing INTEGER NOT NULL,
      pollAt INTEGER,
      pollFailures INTEGER NOT NULL,
      dueAt INTEGER NOT NULL,
      rule TEXT NOT NULL,
      state TEXT NOT NULL,
      answerBy INTEGER,
      reviewAt INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX renewalBySlot ON renewal (device, slot);
    CREATE INDEX renewalByDueAt ON renewal (dueAt) WHERE state = 'waiting';
    CREATE INDEX renewalByAnswer ON renewal (answerBy) WHERE answerBy IS NOT NULL;
    CREATE INDEX renewalByPoll ON renewal (pollAt) WHERE pollAt IS NOT NULL;
    CREATE INDEX renewalByRule ON renewal (rule);
    CREATE INDEX renewalByReview ON renewal (reviewAt) WHERE reviewAt IS NOT NULL;

    CREATE TABLE authorityOutage (
      directory TEXT NOT NULL PRIMARY KEY,
      since INTEGER NOT NULL,
      failure TEXT NOT NULL,
      failures INTEGER NOT NULL,
      retryAt INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    ALTER TABLE request ADD COLUMN charges TEXT;
    ALTER TABLE request ADD COLUMN neededBy INTEGER;
    ALTER TABLE request ADD COLUMN waitUntil INTEGER;
    ALTER TABLE request ADD COLUMN waitFor TEXT;
    CREATE INDEX requestByWait ON request (waitUntil) WHERE waitUntil IS NOT NULL;
    CREATE TABLE ledger (
      book TEXT NOT NULL,
      account TEXT NOT NULL,
      fullAt INTEGER NOT NULL,
      PRIMARY KEY (book, account)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE alarm (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      device TEXT REFERENCES device ON DELETE CASCADE,
      slot TEXT NOT NULL,
      code TEXT NOT NULL,
      severity TEXT NOT NULL,
      text TEXT NOT NULL,
      name TEXT,
      since INTEGER NOT NULL,
      tellAt INTEGER
    ) STRICT;
    CREATE INDEX alarmByDevice ON alarm (device);
    CREATE INDEX alarmByTelling ON alarm (tellAt) WHERE tellAt IS NOT NULL;

    INSERT INTO renewal
      SELECT id, device, slot, notBefore, notAfter, issuedAt, NULL, NULL, NULL, NULL, 0, issuedAt, 0, notAfter, '', 'waiting', NULL, 0
      FROM request JOIN certificate ON certificate.request = request.id
      WHERE number IN (SELECT max(number) FROM request WHERE state IN ('ready', 'installed') GROUP BY device, slot);
    UPDATE certificate SET announceAt = installAt WHERE request IN (SELECT id FROM request WHERE state = 'ready');
    """

  /// It is known how far a device's clock is off, and whether a certificate is in use where it can be seen.
  private static let receipts = """
    ALTER TABLE device ADD COLUMN clockOffset INTEGER;
    ALTER TABLE certificate ADD COLUMN servedAt INTEGER;
    ALTER TABLE certificate ADD COLUMN observeAt INTEGER;
    CREATE INDEX certificateByObservation ON certificate (observeAt) WHERE observeAt IS NOT NULL;
    """

  /// It is known when a device was handed its certificate. One that it has confirmed it had by then.
  private static let delivery = """
    ALTER TABLE certificate ADD COLUMN deliveredAt INTEGER;
    UPDATE certificate SET deliveredAt = installedAt;
    """

  /// It is known for how long a device was there. That is apart from the device, for it changes often, and a row with a description takes several pages.
  private static let visits = """
    CREATE TABLE visit (
      device TEXT NOT NULL PRIMARY KEY REFERENCES device ON DELETE CASCADE,
      beganAt INTEGER NOT NULL,
      seenAt INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    INSERT INTO visit SELECT id, lastSeen, lastSeen FROM device;
    """

  /// Devices retire.
  private static let retirement = "ALTER TABLE device ADD COLUMN retiredAt INTEGER;"

  /// A certificate may be demanded to be renewed ahead of its schedule, and a key may become known.
  private static let demands = """
    ALTER TABLE renewal ADD COLUMN demandReason TEXT;
    ALTER TABLE renewal ADD COLUMN demandFrom INTEGER;
    ALTER TABLE renewal ADD COLUMN demandDeadline INTEGER;
    CREATE INDEX requestByKey ON request (keyPin);
    """

  /// Devices bring certificates with them.
  private static let adoption = """
    ALTER TABLE device ADD COLUMN adoptedDueAt INTEGER;
    CREATE INDEX deviceByAdoption ON device (adoptedDueAt) WHERE adoptedDueAt IS NOT NULL;
    CREATE INDEX certificateByFingerprint ON certificate (fingerprint);
    """

  private static let campaigns = """
    CREATE TABLE campaign (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      reason TEXT NOT NULL,
      isAutomatic INTEGER NOT NULL,
      device TEXT,
      scope TEXT,
      suffix TEXT,
      explanation TEXT,
      startedAt INTEGER NOT NULL,
      deadline INTEGER,
      expectedAt INTEGER,
      total INTEGER NOT NULL,
      isLate INTEGER NOT NULL,
      endedAt INTEGER
    ) STRICT;
    CREATE INDEX campaignOpen ON campaign (endedAt) WHERE endedAt IS NULL;
    ALTER TABLE renewal ADD COLUMN campaign INTEGER;
    CREATE INDEX renewalByCampaign ON renewal (campaign) WHERE campaign IS NOT NULL;
    """

  private static let firstTables = """
    CREATE TABLE device (
      id TEXT NOT NULL PRIMARY KEY,
      scope TEXT NOT NULL,
      key TEXT NOT NULL,
      isKnown INTEGER NOT NULL,
      nameSuffixes TEXT,
      address TEXT,
      description TEXT,
      firstSeen INTEGER NOT NULL,
      lastSeen INTEGER NOT NULL,
      UNIQUE (scope, key)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE request (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      device TEXT NOT NULL REFERENCES device ON DELETE CASCADE,
      slot TEXT NOT NULL,
      csr BLOB NOT NULL,
      csrHash TEXT NOT NULL,
      keyPin TEXT NOT NULL,
      names TEXT NOT NULL,
      isForced INTEGER NOT NULL,
      replaces TEXT,
      authority TEXT NOT NULL,
      state TEXT NOT NULL,
      awaitedName TEXT,
      failure TEXT,
      failures INTEGER NOT NULL,
      nextAttempt INTEGER,
      newOrders INTEGER NOT NULL,
      isHeldByClient INTEGER NOT NULL,
      trace TEXT NOT NULL,
      requestedAt INTEGER NOT NULL,
      changedAt INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX requestBySlot ON request (device, slot, number);
    CREATE INDEX requestByCSR ON request (device, csrHash, number);
    CREATE INDEX requestByState ON request (state, changedAt);
    CREATE INDEX requestByNextAttempt ON request (nextAttempt) WHERE nextAttempt IS NOT NULL;
    CREATE INDEX requestHeldByClient ON request (isHeldByClient) WHERE isHeldByClient = 1;

    CREATE TABLE name (
      name TEXT NOT NULL PRIMARY KEY,
      device TEXT NOT NULL REFERENCES device ON DELETE CASCADE,
      since INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX nameByDevice ON name (device);

    CREATE TABLE claim (
      name TEXT NOT NULL,
      request TEXT NOT NULL REFERENCES request (id) ON DELETE CASCADE,
      device TEXT NOT NULL,
      since INTEGER NOT NULL,
      PRIMARY KEY (name, request)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX claimByRequest ON claim (request);

    CREATE TABLE certificate (
      request TEXT NOT NULL PRIMARY KEY REFERENCES request (id) ON DELETE CASCADE,
      chain TEXT NOT NULL,
      fingerprint TEXT NOT NULL,
      serial TEXT NOT NULL,
      issuer TEXT,
      authority TEXT NOT NULL,
      notBefore INTEGER NOT NULL,
      notAfter INTEGER NOT NULL,
      installAt INTEGER NOT NULL,
      issuedAt INTEGER NOT NULL,
      installedAt INTEGER,
      revokedAt INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX certificateByEnd ON certificate (notAfter);

    CREATE TABLE attempt (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      request TEXT NOT NULL REFERENCES request (id) ON DELETE CASCADE,
      beganAt INTEGER NOT NULL,
      endedAt INTEGER,
      failure TEXT
    ) STRICT;
    CREATE INDEX attemptByRequest ON attempt (request, id);

    CREATE TABLE event (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      at INTEGER NOT NULL,
      severity TEXT NOT NULL,
      code TEXT NOT NULL,
      text TEXT NOT NULL,
      device TEXT,
      request TEXT,
      name TEXT,
      trace TEXT
    ) STRICT;
    CREATE INDEX eventByDevice ON event (device, id);
    CREATE INDEX eventByTime ON event (at);

    CREATE TABLE setting (
      key TEXT NOT NULL PRIMARY KEY,
      value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE compromisedKey (
      keyPin TEXT NOT NULL PRIMARY KEY,
      since INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    """
}

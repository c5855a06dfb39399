// What the first version had.
extension Schema {
  static let firstTables = """
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

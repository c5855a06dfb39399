// What versions 2 and 3 added: certificates are renewed, and the CA's limits kept to.
extension Schema {
  /// An order keeps the authority it began with, outages are counted apart from failures, and events are counted by kind.
  static let ordersWithTheirAuthority = """
    ALTER TABLE request ADD COLUMN orderedFrom TEXT;
    ALTER TABLE request ADD COLUMN outages INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX eventByKind ON event (device, code, at);
    """

  /// The newest certificate of each slot has a schedule, a CSR can wait until it is due, and a certificate is offered again until it is confirmed.
  /// The schedules of certificates that are there already are reckoned at the start: their rule is none.
  static let renewals = """
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
}

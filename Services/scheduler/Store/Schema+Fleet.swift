// What version 4 added: devices come, are watched, and go, and many certificates are renewed at once.
extension Schema {
  /// It is known how far a device's clock is off, and whether a certificate is in use where it can be seen.
  static let receipts = """
    ALTER TABLE device ADD COLUMN clockOffset INTEGER;
    ALTER TABLE certificate ADD COLUMN servedAt INTEGER;
    ALTER TABLE certificate ADD COLUMN observeAt INTEGER;
    CREATE INDEX certificateByObservation ON certificate (observeAt) WHERE observeAt IS NOT NULL;
    """

  /// Devices retire.
  static let retirement = "ALTER TABLE device ADD COLUMN retiredAt INTEGER;"

  /// A certificate may be demanded to be renewed ahead of its schedule, and a key may become known.
  static let demands = """
    ALTER TABLE renewal ADD COLUMN demandReason TEXT;
    ALTER TABLE renewal ADD COLUMN demandFrom INTEGER;
    ALTER TABLE renewal ADD COLUMN demandDeadline INTEGER;
    CREATE INDEX requestByKey ON request (keyPin);
    """

  static let campaigns = """
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

  /// Devices bring certificates with them.
  static let adoption = """
    ALTER TABLE device ADD COLUMN adoptedDueAt INTEGER;
    CREATE INDEX deviceByAdoption ON device (adoptedDueAt) WHERE adoptedDueAt IS NOT NULL;
    CREATE INDEX certificateByFingerprint ON certificate (fingerprint);
    """
}

// What version 5 added beside its indices: when a device had what.
extension Schema {
  /// It is known when a device was handed its certificate. One that it has confirmed it had by then.
  static let delivery = """
    ALTER TABLE certificate ADD COLUMN deliveredAt INTEGER;
    UPDATE certificate SET deliveredAt = installedAt;
    """

  /// It is known for how long a device was there. That is apart from the device, for it changes often, and a row with a description takes several pages.
  static let visits = """
    CREATE TABLE visit (
      device TEXT NOT NULL PRIMARY KEY REFERENCES device ON DELETE CASCADE,
      beganAt INTEGER NOT NULL,
      seenAt INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    INSERT INTO visit SELECT id, lastSeen, lastSeen FROM device;
    """
}

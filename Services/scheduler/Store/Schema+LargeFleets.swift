extension Schema {
  /// Nothing that is looked at often takes longer because there is more of it: who is next in the queue, since when the longest waits, who has only logged
  /// in. And what goes through a whole fleet reads no chains and descriptions, which are most of the database: a row with one takes several pages.
  ///
  /// The queries name some of these indices, for without statistics SQLite prefers others.
  static let largeFleets = """
    CREATE INDEX requestInTurn ON request (coalesce(neededBy, requestedAt), number) WHERE state = 'queued' AND waitUntil IS NULL;
    CREATE INDEX requestByPatience ON request (max(changedAt, coalesce(waitUntil, 0))) WHERE state = 'queued';
    CREATE INDEX deviceUnknown ON device (id) WHERE isKnown = 0;
    CREATE INDEX deviceInService ON device (id, scope, key, lastSeen) WHERE retiredAt IS NULL;
    CREATE INDEX certificateInForce ON certificate (request, notAfter, authority, issuer, revokedAt);
    CREATE INDEX ledgerByEnd ON ledger (fullAt);
    """
}

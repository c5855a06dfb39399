extension Schema {
  /// Whoever waits for a limit is told a turn of its own, so the limit is kept as the ledger calls it, and who is ahead of whom is found without going through
  /// all. Those that wait already are looked at once more.
  static let turns = """
    UPDATE request SET waitUntil = NULL, waitFor = NULL WHERE waitUntil IS NOT NULL OR waitFor IS NOT NULL;
    CREATE INDEX requestByTurn ON request (waitFor, coalesce(neededBy, requestedAt), number, waitUntil) WHERE waitFor IS NOT NULL;
    CREATE INDEX requestByPause ON request (waitUntil) WHERE waitFor IS NULL;
    """
}

import GRDB
import PKI

// Queries that are made at each look at the queue. To prepare one takes longer than what it does: it is kept.

extension FetchableRecord {
  /// All that a query finds which is made again and again.
  static func fetchAll(_ database: Database, cached sql: String, arguments: StatementArguments = []) throws -> [Self] {
    try fetchAll(database.cachedStatement(sql: sql), arguments: arguments)
  }
}

extension Row {
  /// The same, as rows.
  static func fetchAll(_ database: Database, cached sql: String, arguments: StatementArguments = []) throws -> [Row] {
    try fetchAll(database.cachedStatement(sql: sql), arguments: arguments)
  }
}

extension Instant {
  /// The moment that such a query finds.
  static func fetchOne(_ database: Database, cached sql: String, arguments: StatementArguments = []) throws -> Instant? {
    try Int64.fetchOne(database.cachedStatement(sql: sql), arguments: arguments).map(Instant.init(milliseconds:))
  }
}

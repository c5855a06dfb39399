import ACMEClientAPI
import GRDB
import PKI

/// What is wrong with a CA or our account there; there is none while all is well.
struct AuthorityRecord: Codable, FetchableRecord, PersistableRecord {
  static let databaseTableName = "authorityOutage"

  let directory: String
  let since: Instant
  let failure: AttemptFailure
  let failures: Int
  let retryAt: Instant

  /// How the CA with this directory is.
  static func health(of directory: DirectoryURL, from database: Database) throws -> AuthorityHealth {
    let record = try fetchAll(database, cached: "SELECT * FROM authorityOutage WHERE directory = ?", arguments: [directory.key]).first
    return AuthorityHealth(
      outage: record.map { .init(since: $0.since, failure: $0.failure, failures: $0.failures, retryAt: $0.retryAt) })
  }

  /// The outage because of which a request's turn does not come.
  static func outage(holding request: RequestRecord, by settings: Settings, from database: Database) throws -> AuthorityHealth.Outage? {
    guard case .queued = request.phase, let authority = settings.authority else { return nil }
    return try health(of: DirectoryURL(authority.directory), from: database).outage
  }

  /// Keeps how it is.
  static func keep(_ health: AuthorityHealth, of directory: DirectoryURL, in database: Database) throws {
    guard let outage = health.outage else {
      return try database.execute(sql: "DELETE FROM authorityOutage WHERE directory = ?", arguments: [directory.key])
    }
    try AuthorityRecord(
      directory: directory.key, since: outage.since, failure: outage.failure, failures: outage.failures, retryAt: outage.retryAt
    ).save(database)
  }

  /// The next moment at which an order is made in an outage.
  static func nextMoment(after now: Instant, from database: Database) throws -> Instant? {
    try Instant.fetchOne(database, cached: "SELECT min(retryAt) FROM authorityOutage WHERE retryAt > ?", arguments: [now.milliseconds])
  }
}

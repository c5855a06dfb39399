import GRDB
import PKI

/// What is spent of one limit. A row whose moment is over says nothing.
struct LedgerRecord: Codable, FetchableRecord, PersistableRecord {
  static let databaseTableName = "ledger"

  /// The CA, and our account there.
  let book: String
  let account: String
  let fullAt: Instant

  /// What is left of these limits.
  static func ledger(
    _ accounts: [LedgerAccount], of book: String, by limits: AuthorityLimits, at now: Instant, from database: Database
  ) throws -> Ledger {
    var buckets: [LedgerAccount: TokenBucket] = [:]
    for account in accounts {
      let record = try fetchOne(database, sql: "SELECT * FROM ledger WHERE book = ? AND account = ?", arguments: [book, account.text])
      buckets[account] = TokenBucket(limits.of(account), kept: record?.fullAt ?? .earliest, at: now)
    }
    return Ledger(buckets, knownSince: try Mark.restored.moment(in: database))
  }

  static func keep(_ ledger: Ledger, of book: String, in database: Database) throws {
    for (account, bucket) in ledger.buckets { try LedgerRecord(book: book, account: account.text, fullAt: bucket.fullAt).save(database) }
  }

  /// All that is spent.
  static func all(of book: String, by limits: AuthorityLimits, at now: Instant, from database: Database) throws -> Ledger {
    let records = try fetchAll(database, sql: "SELECT * FROM ledger WHERE book = ? AND fullAt > ?", arguments: [book, now.milliseconds])
    return Ledger(
      Dictionary(
        records.compactMap { record in
          LedgerAccount(text: record.account).map { ($0, TokenBucket(limits.of($0), kept: record.fullAt, at: now)) }
        }, uniquingKeysWith: { first, _ in first }), knownSince: try Mark.restored.moment(in: database))
  }

  /// Forgets what has grown back.
  static func prune(at now: Instant, in database: Database) throws {
    try database.execute(sql: "DELETE FROM ledger WHERE fullAt <= ?", arguments: [now.milliseconds])
  }
}

extension LedgerAccount: Codable {
  /// The account as it is kept.
  var text: String {
    switch self {
    case .orders: "orders"
    case .domain(let domain): "domain \(domain)"
    case .set(let names): "set \(names.hash)"
    case .failures(let name): "failures \(name)"
    }
  }

  init?(text: String) {
    let parts = text.split(separator: " ", maxSplits: 1).map(String.init)
    switch (parts.first, parts.dropFirst().first) {
    case ("orders", nil): self = .orders
    case ("domain", let name?):
      guard let name = DNSName(name) else { return nil }
      self = .domain(name)
    case ("set", let hash?): self = .set(.init(hash: hash))
    case ("failures", let name?):
      guard let name = DNSName(name) else { return nil }
      self = .failures(name)
    default: return nil
    }
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let account = LedgerAccount(text: try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "No account of the ledger.")
    }
    self = account
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}

import GRDB
import PKI
import SchedulerAPI

/// The renewal of many certificates ahead of their schedules. Those that are still to be renewed have its number in their ``RenewalRecord``.
struct CampaignRecord: Codable, FetchableRecord, MutablePersistableRecord, Sendable {
  static let databaseTableName = "campaign"

  private(set) var id: Int64?
  let reason: RenewalWish.Reason
  /// It began by itself, because of what the CA said.
  let isAutomatic: Bool
  /// What it is for, of its device, its scope and the names below its suffix; all if nil.
  let device: DeviceID?
  let scope: String?
  let suffix: DNSName?
  /// A page of the CA's that says why.
  var explanation: String?
  let startedAt: Instant
  let deadline: Instant?
  /// When the last turn comes, by the CA's limits as they were at the beginning; for what an administrator has begun it is kept when all are in it.
  var expectedAt: Instant?
  /// How many certificates there are to renew.
  var total: Int
  /// It was told that the deadline is over.
  var isLate = false
  var endedAt: Instant?

  init(
    reason: RenewalWish.Reason, isAutomatic: Bool = false, device: DeviceID? = nil, scope: String? = nil, suffix: DNSName? = nil, startedAt: Instant,
    deadline: Instant? = nil, expectedAt: Instant? = nil, total: Int
  ) {
    self.reason = reason
    self.isAutomatic = isAutomatic
    self.device = device
    self.scope = scope
    self.suffix = suffix
    self.startedAt = startedAt
    self.deadline = deadline
    self.expectedAt = expectedAt
    self.total = total
  }

  mutating func didInsert(_ inserted: InsertionSuccess) {
    id = inserted.rowID
  }

  /// Its certificates are still being taken into it, a portion at a time.
  var isBeginning: Bool { !isAutomatic && expectedAt == nil && endedAt == nil }

  /// Those that are not over, oldest first.
  static func open(from database: Database) throws -> [CampaignRecord] {
    try fetchAll(database, cached: "SELECT * FROM campaign WHERE endedAt IS NULL ORDER BY id")
  }

  static func fetch(_ id: Int, from database: Database) throws -> CampaignRecord? {
    try fetchOne(database, sql: "SELECT * FROM campaign WHERE id = ?", arguments: [id])
  }

  /// The newest, newest first.
  static func newest(_ count: Int, from database: Database) throws -> [CampaignRecord] {
    try fetchAll(database, sql: "SELECT * FROM campaign ORDER BY id DESC LIMIT ?", arguments: [count])
  }

  /// How many of its certificates are still to be renewed, in each stage of a renewal.
  func remaining(from database: Database) throws -> [String: Int] {
    let rows = try Row.fetchAll(database, sql: "SELECT state, count(*) AS count FROM renewal WHERE campaign = ? GROUP BY state", arguments: [id])
    return Dictionary(rows.map { ($0["state"] as String, $0["count"] as Int) }, uniquingKeysWith: { first, _ in first })
  }

  /// Whether none is left.
  func isDone(in database: Database) throws -> Bool {
    try Bool.fetchOne(database, sql: "SELECT NOT EXISTS (SELECT 1 FROM renewal WHERE campaign = ?)", arguments: [id]) ?? true
  }

  /// The next deadline of one that is not over.
  static func nextDeadline(from database: Database) throws -> Instant? {
    try Instant.fetchOne(database, cached: "SELECT min(deadline) FROM campaign WHERE endedAt IS NULL AND NOT isLate AND deadline IS NOT NULL")
  }
}

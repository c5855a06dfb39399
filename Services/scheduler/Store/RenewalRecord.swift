import GRDB
import PKI
import SchedulerAPI

/// The schedule of the newest certificate of a slot. There is none for a certificate that has a successor: nothing can start an order for it.
struct RenewalRecord: Codable, FetchableRecord, PersistableRecord, Sendable {
  static let databaseTableName = "renewal"

  /// The request that led to the certificate.
  let request: RequestID
  let device: DeviceID
  let slot: String
  private let notBefore: Instant
  private let notAfter: Instant
  private let issuedAt: Instant
  private var windowStart: Instant?
  private var windowEnd: Instant?
  private var chosenAt: Instant?
  private var explanation: String?
  private var isPressing: Bool
  private(set) var pollAt: Instant?
  private var pollFailures: Int
  /// When its successor is due, by the rule whose mark stands in `rule`.
  private(set) var dueAt: Instant
  private var rule: String
  private var state: Column
  private var answerBy: Instant?
  /// When the alarms of the slot are to be looked at again.
  private var reviewAt: Instant?
  private var demandReason: RenewalWish.Reason?
  private var demandFrom: Instant?
  private var demandDeadline: Instant?
  /// The campaign that it is renewed in.
  private(set) var campaign: Int64?

  private enum Column: String, Codable {
    case waiting, wanted, ordered
  }

  init(_ request: RequestRecord, _ schedule: RenewalSchedule, by rule: RenewalRule) {
    self.request = request.id
    device = request.device
    slot = request.slot
    notBefore = schedule.validity.notBefore
    notAfter = schedule.validity.notAfter
    issuedAt = schedule.issuedAt
    isPressing = false
    pollFailures = 0
    dueAt = schedule.dueAt(by: rule)
    self.rule = rule.mark
    state = .waiting
    keep(schedule, by: rule)
  }

  var schedule: RenewalSchedule {
    let window: RenewalWindow? =
      if let windowStart, let windowEnd, let chosenAt { RenewalWindow(start: windowStart, end: windowEnd, chosen: chosenAt) } else { nil }
    return RenewalSchedule(
      validity: Validity(notBefore: notBefore, notAfter: notAfter), issuedAt: issuedAt, window: window, explanation: explanation,
      isPressing: isPressing, pollAt: pollAt, pollFailures: pollFailures)
  }

  /// Keeps what the schedule has become.
  mutating func keep(_ schedule: RenewalSchedule, by rule: RenewalRule) {
    (windowStart, windowEnd, chosenAt) = (schedule.window?.start, schedule.window?.end, schedule.window?.chosen)
    (explanation, isPressing) = (schedule.explanation, schedule.isPressing)
    (pollAt, pollFailures) = (schedule.pollAt, schedule.pollFailures)
    reckon(by: rule)
  }

  /// That it be renewed ahead of its schedule.
  var demand: RenewalDemand? {
    guard let demandReason, let demandFrom else { return nil }
    return RenewalDemand(reason: demandReason, from: demandFrom, deadline: demandDeadline)
  }

  /// Keeps a demand.
  mutating func keep(_ demand: RenewalDemand, campaign: Int64?, by rule: RenewalRule) {
    self.campaign = campaign
    (demandReason, demandFrom, demandDeadline) = (demand.reason, demand.from, demand.deadline)
    reckon(by: rule)
  }

  /// The certificate is renewed by its schedule again, and in no campaign.
  mutating func dropDemand(by rule: RenewalRule) {
    (campaign, demandReason, demandFrom, demandDeadline) = (nil, nil, nil, nil)
    reckon(by: rule)
  }

  private mutating func reckon(by rule: RenewalRule) {
    let scheduled = schedule.dueAt(by: rule)
    dueAt = demand.map { min($0.from, scheduled) } ?? scheduled
    self.rule = rule.mark
  }

  /// The certificate is as good as over.
  var isEmergency: Bool { schedule.isPressing || demand?.isEmergency == true }

  var stage: RenewalStage {
    switch state {
    case .waiting: .waiting
    case .wanted: .wanted(answerBy: answerBy)
    case .ordered: .ordered
    }
  }

  mutating func keep(_ stage: RenewalStage) {
    answerBy = nil
    switch stage {
    case .waiting: state = .waiting
    case .wanted(let moment): (state, answerBy) = (.wanted, moment)
    case .ordered: state = .ordered
    }
  }
}

extension RenewalRecord {
  static func of(_ request: RequestID, from database: Database) throws -> RenewalRecord? {
    try fetchOne(database, sql: "SELECT * FROM renewal WHERE request = ?", arguments: [request.rawValue])
  }

  /// Those of a device, of one slot if it is given.
  static func of(_ device: DeviceID, slot: String? = nil, from database: Database) throws -> [RenewalRecord] {
    try fetchAll(
      database, sql: "SELECT * FROM renewal WHERE device = :device AND (:slot IS NULL OR slot = :slot)",
      arguments: ["device": device.rawValue, "slot": slot])
  }

  /// Those whose moment has come, longest due first.
  static func due(_ count: Int, at now: Instant, from database: Database) throws -> [RenewalRecord] {
    try fetchAll(
      database, cached: "SELECT * FROM renewal WHERE state = 'waiting' AND dueAt <= ? ORDER BY dueAt LIMIT ?", arguments: [now.milliseconds, count])
  }

  /// Those whose device has not answered in time.
  static func unanswered(_ count: Int, at now: Instant, from database: Database) throws -> [RenewalRecord] {
    try fetchAll(database, cached: "SELECT * FROM renewal WHERE answerBy <= ? ORDER BY answerBy LIMIT ?", arguments: [now.milliseconds, count])
  }

  /// Those of certificates about which their CA is to be asked, longest waiting first.
  static func toPoll(_ count: Int, at now: Instant, from database: Database) throws -> [RenewalRecord] {
    try fetchAll(
      database, cached: "SELECT * FROM renewal WHERE pollAt <= ? ORDER BY pollAt LIMIT ?", arguments: [now.milliseconds, count])
  }

  /// The next moment at which one of them needs something.
  static func nextMoment(after now: Instant, from database: Database) throws -> Instant? {
    let moments = [
      try Instant.fetchOne(database, cached: "SELECT min(dueAt) FROM renewal WHERE state = 'waiting'"),
      try Instant.fetchOne(database, cached: "SELECT min(answerBy) FROM renewal WHERE answerBy IS NOT NULL"),
      try Instant.fetchOne(database, cached: "SELECT min(reviewAt) FROM renewal WHERE reviewAt IS NOT NULL"),
      // Those that are overdue have been asked about, or are when an answer has come.
      try Instant.fetchOne(database, cached: "SELECT min(pollAt) FROM renewal WHERE pollAt > ?", arguments: [now.milliseconds]),
    ]
    return moments.compactMap(\.self).min()
  }

  /// Those that wait by another rule than this one.
  static func byOtherRule(_ count: Int, than rule: RenewalRule, from database: Database) throws -> [RenewalRecord] {
    try fetchAll(
      database, cached: "SELECT * FROM renewal WHERE rule < :rule OR rule > :rule LIMIT :count", arguments: ["rule": rule.mark, "count": count])
  }

  /// Those of slots whose alarms are to be looked at again.
  static func toReview(_ count: Int, at now: Instant, from database: Database) throws -> [RenewalRecord] {
    try fetchAll(database, cached: "SELECT * FROM renewal WHERE reviewAt <= ? ORDER BY reviewAt LIMIT ?", arguments: [now.milliseconds, count])
  }

  /// Those of certificates that the CA wants replaced ahead of their time, in no campaign yet.
  static func pressing(from database: Database) throws -> [RequestID] {
    try String.fetchAll(database, sql: "SELECT request FROM renewal WHERE isPressing AND campaign IS NULL").map(RequestID.init(rawValue:))
  }

  /// Those that a campaign has still to renew: the first after the one given.
  static func inCampaign(_ campaign: Int64?, after request: RequestID?, limit: Int, from database: Database) throws -> [RenewalRecord] {
    try fetchAll(
      database, sql: "SELECT * FROM renewal WHERE campaign = ? AND request > ? ORDER BY request LIMIT ?",
      arguments: [campaign, request?.rawValue ?? "", limit])
  }

  /// When the last turn of a campaign comes, by what its certificates were given.
  static func lastDemand(of campaign: Int64?, from database: Database) throws -> Instant {
    try Instant.fetchOne(database, cached: "SELECT max(demandFrom) FROM renewal WHERE campaign = ?", arguments: [campaign]) ?? .earliest
  }

  /// Makes those that are in no campaign part of one.
  /// - Returns: how many they are.
  static func enlist(_ requests: [RequestID], in campaign: Int64?, in database: Database) throws -> Int {
    try requests.reduce(0) { count, request in
      try database.execute(
        sql: "UPDATE renewal SET campaign = ? WHERE request = ? AND campaign IS NULL", arguments: [campaign, request.rawValue])
      return count + database.changesCount
    }
  }

  /// Those of devices that are not retired: of one, of a scope, with a name that is `suffix` or below it; those of certificates that end first come
  /// first.
  static func selected(device: DeviceID?, scope: String?, suffix: DNSName?, from database: Database) throws -> [RenewalRecord] {
    try fetchAll(
      database,
      sql: """
        SELECT renewal.* FROM renewal JOIN request ON request.id = renewal.request JOIN device ON device.id = renewal.device
        WHERE retiredAt IS NULL AND (:device IS NULL OR device.id = :device) AND (:scope IS NULL OR scope = :scope)
          AND (:suffix IS NULL OR EXISTS (
            SELECT 1 FROM json_each(names) WHERE value = :suffix OR substr(value, -length(:suffix) - 1) = '.' || :suffix))
        ORDER BY notAfter
        """,
      arguments: ["device": device?.rawValue, "scope": scope, "suffix": suffix?.value])
  }

  /// The alarms of a slot are looked at again then.
  /// - Returns: whether it has a schedule, in which that stands.
  static func review(slot: String, of device: DeviceID, at moment: Instant?, in database: Database) throws -> Bool {
    try database.execute(
      sql: "UPDATE renewal SET reviewAt = ? WHERE device = ? AND slot = ?", arguments: [moment?.milliseconds, device.rawValue, slot])
    return database.changesCount > 0
  }

  static func delete(of device: DeviceID, from database: Database) throws {
    try database.execute(sql: "DELETE FROM renewal WHERE device = ?", arguments: [device.rawValue])
  }

  static func delete(of request: RequestID, from database: Database) throws {
    try database.execute(sql: "DELETE FROM renewal WHERE request = ?", arguments: [request.rawValue])
  }
}

extension RenewalRule {
  /// By which a moment is known to have been reckoned with this rule.
  fileprivate var mark: String { "\(renewDays)d \(floor.components.seconds)s \(authority?.key ?? "-")" }
}

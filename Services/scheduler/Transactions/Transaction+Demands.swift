import ACMEClientAPI
import GRDB
import PKI
import SchedulerAPI

// Renewals ahead of their schedule.
extension Transaction {
  /// A certificate is to be renewed ahead of its schedule, perhaps in a campaign. A device that was asked for another reason is asked once more.
  mutating func demand(_ demand: RenewalDemand, of renewal: RenewalRecord, campaign: Int64? = nil) throws {
    var changed = renewal
    let joined = renewal.demand?.joined(by: demand) ?? demand
    guard joined != renewal.demand || campaign != nil else { return }
    if campaign != nil { try leaveCampaign(renewal) }
    changed.keep(joined, campaign: campaign ?? renewal.campaign, by: settings.renewalRule)
    let newest = try RequestRecord.newest(of: renewal.device, slot: renewal.slot, from: database)
    let isAtWork = newest.map { $0.id != renewal.request && $0.phase.isOpen } ?? false
    if !isAtWork { changed.keep(.waiting) }
    try changed.update(database)
    try moveKept(from: renewal, to: changed)
    if joined.isEmergency { try hurry(changed) } else if joined.from <= now { try endPause(of: changed) }
    hasWork = true
  }

  /// A certificate is not to be renewed ahead of its schedule any more: a device that was asked need not answer, and a CSR that it has handed in since then
  /// waits until it is due. What it had handed in before is its own wish.
  /// - Returns: whether that came in time; what is being ordered, or failed and is tried again, goes on.
  mutating func withdrawDemand(of renewal: RenewalRecord) throws -> Bool {
    let newest = try RequestRecord.newest(of: renewal.device, slot: renewal.slot, from: database)
    let successor = newest.flatMap { $0.id != renewal.request && $0.phase.isOpen ? $0 : nil }
    switch successor?.phase {
    case nil, .queued, .notDue: break
    default: return false
    }
    var changed = renewal
    changed.dropDemand(by: settings.renewalRule)
    changed.keep(.waiting)
    try changed.update(database)
    let campaign = try renewal.campaign.flatMap { try CampaignRecord.fetch(Int($0), from: database) }
    if let successor, successor.requestedAt >= campaign?.startedAt ?? .earliest { try handle(.postponed(until: changed.dueAt), of: successor) }
    reconsider(renewal.device)
    hasWork = true
    return true
  }

  /// A key has become known: nothing is ordered for it any more, and its certificates are renewed with another one, from `moment` on.
  mutating func markCompromised(_ key: SubjectPublicKeyPin, from moment: Instant) throws {
    try database.execute(
      sql: "INSERT INTO compromisedKey (keyPin, since) VALUES (?, ?) ON CONFLICT DO NOTHING", arguments: [key.hex, now.milliseconds])
    let refusal = Refusal.compromisedKey
    for request in try RequestRecord.withKey(key, from: database) {
      if request.phase.isOpen {
        let failure = AttemptFailure(error: Problem.Word(rawValue: refusal.word.rawValue), text: refusal.text, isFinal: true)
        try handle(.refused(failure), of: request)
        try record(
          Event(.requestRefused, "\(refusal.word.rawValue): \(refusal.text)", device: request.device, request: request.id))
        try advance(slot: request.slot, of: request.device, .failedForGood)
      } else if let renewal = try RenewalRecord.of(request.id, from: database) {
        try demand(RenewalDemand(reason: .keyCompromise, from: moment), of: renewal)
      }
    }
  }

  /// Whether nothing may be ordered for a key any more.
  func isCompromised(_ key: SubjectPublicKeyPin) throws -> Bool {
    try Bool.fetchOne(database, sql: "SELECT EXISTS (SELECT 1 FROM compromisedKey WHERE keyPin = ?)", arguments: [key.hex]) ?? false
  }
}

extension Refusal {
  /// A CSR for a key that has become known.
  static let compromisedKey = Refusal(
    .newKeyRequired, "The key in this CSR has become known to others and must not be used again; make a new one.")
}

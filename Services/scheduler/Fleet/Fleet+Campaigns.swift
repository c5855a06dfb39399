import ACMEClientAPI
import GRDB
import PKI
import SchedulerAPI
import Varlink

extension Fleet {
  /// Which certificates a campaign renews: all, or those of a device, of a scope, with a name below a suffix.
  struct CampaignSelection: Sendable, CustomStringConvertible {
    let reason: RenewalWish.Reason
    var device: DeviceID?
    var scope: String?
    var suffix: DNSName?
    var deadline: Instant?

    var description: String {
      let parts = [device.map { "the device \($0)" }, scope.map { "the scope \($0)" }, suffix.map { "names below \($0)" }].compactMap(\.self)
      return "(\(reason.rawValue)) for \(parts.isEmpty ? "all devices" : parts.joined(separator: ", "))"
    }
  }

  /// Has many certificates renewed ahead of their schedules. One that is to be renewed already for a reason as grave stays where it is, so that a call may
  /// come twice. Others have their turn between two portions of it; a process that dies in between leaves a campaign that the next one goes on with.
  func begin(_ selection: CampaignSelection) async throws -> AdminMethods.BeginCampaign.Reply {
    let administrator = PeerCredentials.administrator
    let outlook = try await consult { transaction in
      try transaction.check(selection)
      return try transaction.outlook(of: selection)
    }
    // What has begun goes on, whether or not he who asked for it waits for the end.
    return try await Task {
      let campaign = try await transact { try $0.begin(selection, outlook, by: administrator) }
      if campaign.isBeginning { try await fill(campaign, as: outlook) }
      let view = try await store.read { try CampaignView(CampaignRecord.fetch(Int(campaign.id ?? 0), from: $0) ?? campaign, from: $0) }
      return AdminMethods.BeginCampaign.Reply(campaign: view, warnings: outlook.turns.isEmpty ? [] : outlook.forecast.warnings)
    }.value
  }

  /// Goes on with what a process has begun that has died. For the start.
  func goOnWithCampaigns() async throws {
    guard settings.current.authority != nil else { return }
    for campaign in try await store.read({ try CampaignRecord.open(from: $0) }) where campaign.isBeginning {
      try await fill(campaign, as: try await consult { try $0.outlook(of: campaign.selection) })
    }
  }

  /// Takes certificates into a campaign that is beginning, until all are in it or somebody ends it.
  private func fill(_ campaign: CampaignRecord, as outlook: CampaignOutlook) async throws {
    let portions = Transaction.portions(of: outlook.turns)
    for (number, portion) in portions.enumerated() {
      try await transact { transaction in
        guard var campaign = try CampaignRecord.fetch(Int(campaign.id ?? 0), from: transaction.database), campaign.isBeginning else { return }
        campaign.total += try transaction.enlist(portion, in: campaign)
        if number == portions.count - 1 {
          campaign.expectedAt = try max(outlook.forecast.end, RenewalRecord.lastDemand(of: campaign.id, from: transaction.database))
        }
        try campaign.update(transaction.database)
      }
    }
  }

  /// Ends a campaign that an administrator has begun: what is not ordered yet is renewed in its own time. One that is over stays so: a call may come twice.
  /// Others have their turn between two portions of it; a process that dies in between leaves a campaign of fewer, which goes on.
  /// - Returns: the campaign, and how many certificates that concerns.
  func end(_ id: Int) async throws -> AdminMethods.EndCampaign.Reply {
    let administrator = PeerCredentials.administrator
    let returned = try await Task {
      var (returned, last): (Int, RequestID?) = (0, nil)
      repeat {
        let portion = try await transact { [returned, last] in try $0.end(id, after: last, returned: returned, by: administrator) }
        (returned, last) = (returned + portion.returned, portion.last)
      } while last != nil
      return returned
    }.value
    return try await store.read {
      guard let campaign = try CampaignRecord.fetch(id, from: $0) else { throw NotFound(what: "campaign", which: "\(id)") }
      return .init(campaign: try CampaignView(campaign, from: $0), returned: returned)
    }
  }

  /// The newest campaigns, newest first.
  func campaigns() async throws -> [CampaignView] {
    try await store.read { database in
      try CampaignRecord.newest(Self.shownCampaigns, from: database).map { try CampaignView($0, from: database) }
    }
  }

  private static let shownCampaigns = 100
}

extension Transaction {
  fileprivate func check(_ selection: Fleet.CampaignSelection) throws {
    guard selection.reason != .due else { throw Refusal(.badMessage, "What is due is renewed by itself; a campaign has another reason.") }
    if let deadline = selection.deadline, deadline <= now { throw Refusal(.badMessage, "The deadline \(deadline) is over already.") }
    if let device = selection.device, try DeviceRecord.fetch(device, from: database) == nil { throw NotFound.device(device) }
  }

  /// What a campaign would come to, or the one comes to that is beginning.
  fileprivate func outlook(of selection: Fleet.CampaignSelection) throws -> CampaignOutlook {
    guard let authority = settings.authority else {
      throw Refusal(.notConfigured, "No certificate authority is set yet; set authority.directory.")
    }
    let beginning = try CampaignRecord.open(from: database).first { $0.isBeginning && $0.selection.isSame(as: selection) }
    let current = DirectoryURL(authority.directory)
    let renewals = try RenewalRecord.selected(device: selection.device, scope: selection.scope, suffix: selection.suffix, from: database)
    let members = try renewals.compactMap { renewal -> CampaignMember? in
      let isIn = beginning != nil && renewal.campaign == beginning?.id
      guard isIn || !renewal.isInCampaign(as: selection.reason), let request = try RequestRecord.fetch(renewal.request, from: database) else {
        return nil
      }
      if selection.reason == .authorityChanged, let certificate = try CertificateRecord.of(request.id, from: database),
        DirectoryURL(certificate.authority) == current
      {
        return nil
      }
      return CampaignMember(request: request, renewal: renewal)
    }
    return try outlook(of: members, deadline: selection.deadline, by: authority)
  }

  /// The campaign for a selection: the one that is open, or a new one, which is still to be filled.
  fileprivate mutating func begin(
    _ selection: Fleet.CampaignSelection, _ outlook: CampaignOutlook, by administrator: String
  ) throws -> CampaignRecord {
    let count = outlook.turns.count
    let same = try CampaignRecord.open(from: database).first { $0.selection.isSame(as: selection) && ($0.isBeginning || count == 0) }
    if let same { return same }
    guard count > 0 else { throw NotFound(what: "certificate", which: "that a campaign \(selection) would renew") }
    var campaign = CampaignRecord(
      reason: selection.reason, device: selection.device, scope: selection.scope, suffix: selection.suffix, startedAt: now,
      deadline: selection.deadline, total: 0)
    try campaign.insert(database)
    try record(
      Event(
        .campaignBegan,
        "\(administrator) has \(count) certificates renewed (\(selection.reason.rawValue)), campaign \(campaign.id ?? 0); the last turn comes "
          + "\(outlook.forecast.end)."))
    for warning in outlook.forecast.warnings { try record(Event(.campaignLate, warning)) }
    return campaign
  }

  /// Takes a portion of its certificates out of a campaign, and ends it with the last one.
  /// - Returns: how many are renewed in their own time, and after which one to go on; nil when it is over.
  fileprivate mutating func end(
    _ id: Int, after last: RequestID?, returned: Int, by administrator: String
  ) throws -> (returned: Int, last: RequestID?) {
    guard var campaign = try CampaignRecord.fetch(id, from: database) else { throw NotFound(what: "campaign", which: "\(id)") }
    guard !campaign.isAutomatic else {
      throw Refusal(
        .notAllowed, "Campaign \(id) began by itself, for these certificates are not to be used any more; it ends with the last of them.")
    }
    guard campaign.endedAt == nil else { return (0, nil) }
    let portion = try RenewalRecord.inCampaign(campaign.id, after: last, limit: Self.mostAtOnce, from: database)
    let count = try portion.count { try withdrawDemand(of: $0) }
    campaign.total -= count
    // Nothing more is taken into it.
    campaign.expectedAt = campaign.expectedAt ?? now
    let isLast = portion.count < Self.mostAtOnce
    if isLast {
      campaign.endedAt = now
      try record(
        Event(
          .campaignEnded,
          "\(administrator) ended campaign \(id) (\(campaign.reason.rawValue)); \(returned + count) certificates that were not ordered yet are renewed in "
            + "their own time."))
    }
    try campaign.update(database)
    return (count, isLast ? nil : portion.last?.request)
  }
}

extension CampaignRecord {
  /// What it is for.
  fileprivate var selection: Fleet.CampaignSelection {
    Fleet.CampaignSelection(reason: reason, device: device, scope: scope, suffix: suffix, deadline: deadline)
  }
}

extension Fleet.CampaignSelection {
  /// Whether the same certificates are meant for the same reason.
  fileprivate func isSame(as other: Fleet.CampaignSelection) -> Bool {
    (reason, device, scope, suffix) == (other.reason, other.device, other.scope, other.suffix)
  }
}

extension CampaignView {
  fileprivate init(_ campaign: CampaignRecord, from database: Database) throws {
    let left = try campaign.remaining(from: database)
    self.init(
      id: Int(campaign.id ?? 0), reason: campaign.reason, automatic: campaign.isAutomatic, device: campaign.device, scope: campaign.scope,
      suffix: campaign.suffix, explanation: campaign.explanation, startedAt: campaign.startedAt, deadline: campaign.deadline,
      expectedAt: campaign.expectedAt, endedAt: campaign.endedAt, total: campaign.total, waiting: left["waiting"] ?? 0, asked: left["wanted"] ?? 0,
      ordered: left["ordered"] ?? 0)
  }
}

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
  /// come twice.
  func begin(_ selection: CampaignSelection) async throws -> AdminMethods.BeginCampaign.Reply {
    let administrator = PeerCredentials.administrator
    return try await transact { transaction in
      let (database, now) = (transaction.database, transaction.now)
      guard selection.reason != .due else { throw Refusal(.badMessage, "What is due is renewed by itself; a campaign has another reason.") }
      guard let authority = transaction.settings.authority else {
        throw Refusal(.notConfigured, "No certificate authority is set yet; set authority.directory.")
      }
      if let deadline = selection.deadline, deadline <= now { throw Refusal(.badMessage, "The deadline \(deadline) is over already.") }
      if let device = selection.device, try DeviceRecord.fetch(device, from: database) == nil { throw NotFound.device(device) }
      let members = try transaction.members(selection, authority: authority.directory)
      guard !members.isEmpty else {
        let same = try CampaignRecord.open(from: database).first { $0.isFor(selection) }
        guard let same else { throw NotFound(what: "certificate", which: "that a campaign \(selection) would renew") }
        return .init(campaign: try CampaignView(same, from: database), warnings: [])
      }
      let wanted = CampaignRecord(
        reason: selection.reason, device: selection.device, scope: selection.scope, suffix: selection.suffix, startedAt: now,
        deadline: selection.deadline, total: members.count)
      let (campaign, forecast) = try transaction.begin(wanted, of: members, by: authority)
      try transaction.record(
        Event(
          .campaignBegan,
          "\(administrator) has \(members.count) certificates renewed (\(selection.reason.rawValue)), campaign \(campaign.id ?? 0); the last turn comes "
            + "\(forecast.end)."))
      if let warning = forecast.warning { try transaction.record(Event(.campaignLate, warning)) }
      return .init(campaign: try CampaignView(campaign, from: database), warnings: forecast.warning.map { [$0] } ?? [])
    }
  }

  /// Ends a campaign that an administrator has begun: what is not ordered yet is renewed in its own time. One that is over stays so: a call may come twice.
  /// - Returns: the campaign, and how many certificates that concerns.
  func end(_ id: Int) async throws -> AdminMethods.EndCampaign.Reply {
    let administrator = PeerCredentials.administrator
    return try await transact { transaction in
      let (database, now) = (transaction.database, transaction.now)
      guard var campaign = try CampaignRecord.fetch(id, from: database) else { throw NotFound(what: "campaign", which: "\(id)") }
      guard !campaign.isAutomatic else {
        throw Refusal(
          .notAllowed, "Campaign \(id) began by itself, for these certificates are not to be used any more; it ends with the last of them.")
      }
      var returned = 0
      if campaign.endedAt == nil {
        for renewal in try RenewalRecord.inCampaign(campaign.id, from: database) {
          if try transaction.withdrawDemand(of: renewal) { returned += 1 }
        }
        campaign.total -= returned
        campaign.endedAt = now
        try campaign.update(database)
        try transaction.record(
          Event(
            .campaignEnded,
            "\(administrator) ended campaign \(id) (\(campaign.reason.rawValue)); \(returned) certificates that were not ordered yet are renewed in "
              + "their own time."))
      }
      return .init(campaign: try CampaignView(campaign, from: database), returned: returned)
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
  fileprivate func members(_ selection: Fleet.CampaignSelection, authority: String) throws -> [CampaignMember] {
    let current = DirectoryURL(authority)
    return try RenewalRecord.selected(device: selection.device, scope: selection.scope, suffix: selection.suffix, from: database).compactMap {
      renewal in
      if let demand = renewal.demand, renewal.campaign != nil,
        demand.joined(by: RenewalDemand(reason: selection.reason, from: demand.from)).reason == demand.reason
      {
        return nil
      }
      guard let request = try RequestRecord.fetch(renewal.request, from: database) else { return nil }
      if selection.reason == .authorityChanged, let certificate = try CertificateRecord.of(request.id, from: database),
        DirectoryURL(certificate.authority) == current
      {
        return nil
      }
      return CampaignMember(request: request, renewal: renewal)
    }
  }
}

extension CampaignRecord {
  fileprivate func isFor(_ selection: Fleet.CampaignSelection) -> Bool {
    reason == selection.reason && device == selection.device && scope == selection.scope && suffix == selection.suffix
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

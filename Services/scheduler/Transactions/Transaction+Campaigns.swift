import ACMEClientAPI
import GRDB
import PKI
import SchedulerAPI

// The renewal of many certificates ahead of their schedules.
extension Transaction {
  /// When the turns of these certificates come: one after the other as the CA's limits allow, those that end first before the others.
  func outlook(of members: [CampaignMember], deadline: Instant?, by authority: Authority) throws -> CampaignOutlook {
    let limits = settings.limits
    let ledger = try limits.map { try LedgerRecord.all(of: authority.book, by: $0, at: now, from: database) }
    let slots = try members.map { member in
      Plan.Slot(
        device: member.request.device, slot: member.request.slot, names: member.request.names, wantedAt: now,
        end: member.renewal.schedule.validity.notAfter,
        exemption: try exemption(of: member.request.names, replacing: member.request, at: authority),
        emergencyFrom: member.renewal.isEmergency ? .earliest : member.renewal.schedule.validity.emergencyFrom,
        urgency: Urgency(neededBy: member.renewal.schedule.validity.notAfter, number: member.request.number ?? 0))
    }
    let outage = try AuthorityRecord.health(of: DirectoryURL(authority.directory), from: database).outage
    let plan = Plan(
      slots + (try waiting(besides: Set(members.map { SlotKey($0.request) }), for: authority)), ledger: ledger ?? Ledger([:]), limits: limits,
      heldUntil: outage?.retryAt, suffixes: publicSuffixes, at: now)
    let byNumber = Dictionary(members.map { ($0.request.number ?? 0, $0.request.id) }, uniquingKeysWith: { first, _ in first })
    let turns = plan.turns.filter { byNumber[$0.slot.urgency.number] != nil }
    return CampaignOutlook(
      turns: turns.compactMap { turn in byNumber[turn.slot.urgency.number].map { CampaignOutlook.Turn(request: $0, at: turn.at) } },
      forecast: CampaignForecast(turns, deadline: deadline, at: now))
  }

  /// What waits for the CA's limits already, and takes its turn as well.
  private func waiting(besides members: Set<SlotKey>, for authority: Authority) throws -> [Plan.Slot] {
    try RequestRecord.waitingForLimits(from: database).compactMap { request in
      guard !members.contains(SlotKey(request)) else { return nil }
      return Plan.Slot(
        device: request.device, slot: request.slot, names: request.names, wantedAt: now, end: nil,
        exemption: try exemption(of: request, at: authority), emergencyFrom: try emergency(of: request), urgency: request.urgency)
    }
  }

  /// Takes certificates into a campaign. What is in it, or in one for a reason as grave, or has been renewed by now, stays as it is.
  /// - Returns: how many are new in it.
  @discardableResult
  mutating func enlist(_ turns: ArraySlice<CampaignOutlook.Turn>, in campaign: CampaignRecord) throws -> Int {
    var count = 0
    for turn in turns {
      guard let renewal = try RenewalRecord.of(turn.request, from: database), !renewal.isInCampaign(as: campaign.reason),
        let request = try RequestRecord.fetch(turn.request, from: database)
      else { continue }
      try demand(RenewalDemand(reason: campaign.reason, from: turn.at, deadline: campaign.deadline), of: renewal, campaign: campaign.id)
      if campaign.reason == .keyCompromise { try markCompromised(request.keyPin, from: turn.at) }
      count += 1
    }
    return count
  }

  /// Begins a campaign of few.
  private mutating func begin(
    _ campaign: CampaignRecord, of members: [CampaignMember], by authority: Authority
  ) throws -> (CampaignRecord, CampaignForecast) {
    let outlook = try outlook(of: members, deadline: campaign.deadline, by: authority)
    var campaign = campaign
    campaign.expectedAt = outlook.forecast.end
    try campaign.insert(database)
    try enlist(outlook.turns[...], in: campaign)
    return (campaign, outlook.forecast)
  }

  /// Certificates of a CA for trials are replaced at once when another CA is set: nobody trusts them.
  mutating func replaceTrials(among requests: [RequestID]) throws {
    guard let authority = settings.authority else { return }
    let members = try requests.compactMap { id -> CampaignMember? in
      guard let certificate = try CertificateRecord.of(id, from: database), certificate.isForTrial,
        DirectoryURL(certificate.authority) != DirectoryURL(authority.directory), let request = try RequestRecord.fetch(id, from: database),
        let renewal = try RenewalRecord.of(id, from: database), renewal.demand == nil
      else { return nil }
      return CampaignMember(request: request, renewal: renewal)
    }
    guard PressingRenewal.isCampaign(of: members.count) else {
      for member in members { try demand(RenewalDemand(reason: .authorityChanged, from: now), of: member.renewal) }
      return
    }
    let campaign = CampaignRecord(reason: .authorityChanged, isAutomatic: true, startedAt: now, total: members.count)
    let (begun, forecast) = try begin(campaign, of: members, by: authority)
    try record(
      Event(
        .campaignBegan,
        "\(members.count) certificates of a CA for trials are replaced, campaign \(begun.id ?? 0); the last turn comes \(forecast.end)."))
    for warning in forecast.warnings { try record(Event(.campaignLate, warning)) }
  }

  /// The CA wants a certificate replaced ahead of its time. Of many such one campaign is told, and not each.
  /// - Returns: whether it belongs to a campaign.
  mutating func joinCampaign(_ id: RequestID) throws -> Bool {
    let open = try CampaignRecord.open(from: database).first { $0.isAutomatic && $0.reason == .revoked }
    let pressing = try open == nil ? RenewalRecord.pressing(from: database) : [id]
    let told = try open == nil ? EventRecord.count(.renewalPressing, since: now - PressingRenewal.span, from: database) : 0
    switch PressingRenewal(hasCampaign: open != nil, waiting: pressing.count, told: told) {
    case .alone:
      return false
    case .joinsCampaign:
      guard var campaign = open else { return false }
      campaign.total += try RenewalRecord.enlist(pressing, in: campaign.id, in: database)
      try campaign.update(database)
    case .beginsCampaign:
      var campaign = CampaignRecord(reason: .revoked, isAutomatic: true, startedAt: now, total: pressing.count)
      try campaign.insert(database)
      _ = try RenewalRecord.enlist(pressing, in: campaign.id, in: database)
      try record(
        Event(
          .campaignBegan,
          "The CA wants many certificates replaced at once, \(pressing.count) so far: they are, or are about to be, revoked. They are renewed as its "
            + "limits allow; `acme-connector campaigns` shows how far that is."))
    }
    return true
  }

  /// The CA has a page about why it wants a certificate replaced.
  /// - Returns: whether that is known from its campaign.
  mutating func isExplained(_ id: RequestID, by page: String) throws -> Bool {
    guard let number = try RenewalRecord.of(id, from: database)?.campaign,
      var campaign = try CampaignRecord.open(from: database).first(where: { $0.id == number })
    else { return false }
    if campaign.explanation == page { return true }
    guard campaign.explanation == nil else { return false }
    campaign.explanation = page
    try campaign.update(database)
    return false
  }

  /// A certificate is renewed in another campaign, or not any more.
  func leaveCampaign(_ renewal: RenewalRecord) throws {
    guard let campaign = renewal.campaign else { return }
    try database.execute(sql: "UPDATE campaign SET total = total - 1 WHERE id = ?", arguments: [campaign])
  }

  /// Ends campaigns whose certificates are renewed, and tells of those whose deadline is over.
  mutating func reviewCampaigns() throws {
    for var campaign in try CampaignRecord.open(from: database) where !campaign.isBeginning {
      if try campaign.isDone(in: database) {
        // The CA may want more of them.
        if campaign.isAutomatic, campaign.reason == .revoked, now < campaign.startedAt + PressingRenewal.span { continue }
        campaign.endedAt = now
        try campaign.update(database)
        try record(
          Event(.campaignEnded, "Campaign \(campaign.id ?? 0) (\(campaign.reason.rawValue)) is over: its \(campaign.total) certificates are renewed.")
        )
      } else if let deadline = campaign.deadline, deadline <= now, !campaign.isLate {
        campaign.isLate = true
        try campaign.update(database)
        let left = try campaign.remaining(from: database).values.reduce(0, +)
        try record(
          Event(
            .campaignLate,
            "\(left) of \(campaign.total) certificates of campaign \(campaign.id ?? 0) (\(campaign.reason.rawValue)) are not renewed, and its deadline is "
              + "over; `acme-connector alarms` and `acme-connector certificates` show which, and it goes on."))
      }
    }
  }
}

/// A certificate that a campaign renews.
struct CampaignMember {
  let request: RequestRecord
  let renewal: RenewalRecord
}

/// What a campaign comes to.
struct CampaignOutlook {
  /// When the successor of a certificate is due.
  struct Turn {
    /// The request that led to the certificate.
    let request: RequestID
    let at: Instant
  }

  /// In the order in which they come.
  let turns: [Turn]
  let forecast: CampaignForecast
}

extension RenewalRecord {
  /// Whether it is in a campaign already, for that reason or a graver one.
  func isInCampaign(as reason: RenewalWish.Reason) -> Bool {
    guard let demand, campaign != nil else { return false }
    return demand.joined(by: RenewalDemand(reason: reason, from: demand.from)).reason == demand.reason
  }
}

/// Which certificate of which device.
private struct SlotKey: Hashable {
  let device: DeviceID
  let slot: String

  init(_ request: RequestRecord) { (device, slot) = (request.device, request.slot) }
}

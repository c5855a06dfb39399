public import PKI
public import Telemetry
public import Varlink

/// The renewal of many certificates ahead of their schedules.
public struct CampaignView: Codable, Sendable, Hashable {
  /// Its number; later ones are higher.
  public var id: Int
  /// Why.
  public var reason: RenewalWish.Reason
  /// It began by itself, because the CA wants many certificates replaced.
  public var automatic: Bool
  /// Only those of this device.
  public var device: DeviceID?
  /// Only those of devices of this scope.
  public var scope: String?
  /// Only those with a name that is this one or below it.
  public var suffix: DNSName?
  /// A page of the CA's that says why.
  public var explanation: String?
  /// When it began.
  public var startedAt: Instant
  /// When it is to be over.
  public var deadline: Instant?
  /// When the last turn comes, as it was reckoned at the beginning.
  public var expectedAt: Instant?
  /// When it was over.
  public var endedAt: Instant?
  /// How many certificates there are to renew.
  public var total: Int
  /// How many of them wait for their turn.
  public var waiting: Int
  /// How many of their devices are asked for a CSR.
  public var asked: Int
  /// For how many a CSR is at work.
  public var ordered: Int

  /// A campaign, and how far it is.
  public init(
    id: Int, reason: RenewalWish.Reason, automatic: Bool, device: DeviceID? = nil, scope: String? = nil, suffix: DNSName? = nil,
    explanation: String? = nil, startedAt: Instant, deadline: Instant? = nil, expectedAt: Instant? = nil, endedAt: Instant? = nil, total: Int,
    waiting: Int, asked: Int, ordered: Int
  ) {
    self.id = id
    self.reason = reason
    self.automatic = automatic
    self.device = device
    self.scope = scope
    self.suffix = suffix
    self.explanation = explanation
    self.startedAt = startedAt
    self.deadline = deadline
    self.expectedAt = expectedAt
    self.endedAt = endedAt
    self.total = total
    self.waiting = waiting
    self.asked = asked
    self.ordered = ordered
  }
}

extension AdminMethods {
  /// Renews many certificates ahead of their schedules.
  public struct BeginCampaign: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin

    /// Which ones, why, and until when; all if neither device, scope nor suffix is given.
    public struct Parameters: Codable, Sendable, Traced {
      /// Why: forced, revoked, keyCompromise, or authorityChanged.
      public var reason: RenewalWish.Reason
      /// Only those of this device.
      public var device: DeviceID?
      /// Only those of devices of this scope.
      public var scope: String?
      /// Only those with a name that is this one or below it.
      public var suffix: DNSName?
      /// When it is to be over.
      public var deadline: Instant?
      /// The caller's trace.
      public var trace: TraceContext?

      /// Which certificates, why, and until when.
      public init(
        reason: RenewalWish.Reason, device: DeviceID? = nil, scope: String? = nil, suffix: DNSName? = nil, deadline: Instant? = nil
      ) {
        self.reason = reason
        self.device = device
        self.scope = scope
        self.suffix = suffix
        self.deadline = deadline
      }
    }

    /// The campaign.
    public struct Reply: Codable, Sendable, Hashable {
      /// As it begins.
      public var campaign: CampaignView
      /// What will go wrong, each a sentence.
      public var warnings: [String]

      /// A campaign that begins.
      public init(campaign: CampaignView, warnings: [String]) {
        self.campaign = campaign
        self.warnings = warnings
      }
    }
  }

  /// Ends a campaign ahead of its time.
  public struct EndCampaign: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin

    /// Which one.
    public struct Parameters: Codable, Sendable, Traced {
      /// Its number.
      public var campaign: Int
      /// The caller's trace.
      public var trace: TraceContext?

      /// Which campaign.
      public init(campaign: Int) {
        self.campaign = campaign
      }
    }

    /// What came of it.
    public struct Reply: Codable, Sendable, Hashable {
      /// As it has ended; it counts only what it has renewed, or is ordered.
      public var campaign: CampaignView
      /// How many certificates are renewed in their own time again.
      public var returned: Int

      /// A campaign that has ended.
      public init(campaign: CampaignView, returned: Int) {
        self.campaign = campaign
        self.returned = returned
      }
    }
  }

  /// The campaigns.
  public struct ListCampaigns: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin
    /// Nothing but a trace.
    public typealias Parameters = OnlyTrace

    /// The newest 100.
    public struct Reply: Codable, Sendable, Hashable {
      /// Newest first.
      public var campaigns: [CampaignView]

      /// Campaigns.
      public init(campaigns: [CampaignView]) {
        self.campaigns = campaigns
      }
    }
  }
}

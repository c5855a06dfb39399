import PKI

/// How it is told that the CA wants a certificate replaced ahead of its time: of few such each, of many one campaign.
enum PressingRenewal: Hashable {
  case alone
  case joinsCampaign
  case beginsCampaign

  /// How many such certificates make a campaign.
  private static let fewest = 5
  /// Within which time they are many at once, and for how long a campaign waits for more of them: by then the CA has been asked about each certificate, and
  /// those that are renewed in a moment were not the last.
  static let span = Duration.days(1)

  /// - Parameters:
  ///   - hasCampaign: such a campaign is open.
  ///   - waiting: how many are wanted so, still to be renewed and in no campaign, with this one.
  ///   - told: how many were told of one by one within the span.
  init(hasCampaign: Bool, waiting: Int, told: Int) {
    self = hasCampaign ? .joinsCampaign : Self.isCampaign(of: max(waiting, told + 1)) ? .beginsCampaign : .alone
  }

  /// Whether so many that are replaced at once, whoever wants it, are a campaign.
  static func isCampaign(of count: Int) -> Bool { count >= fewest }
}

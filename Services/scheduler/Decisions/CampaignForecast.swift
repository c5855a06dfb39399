import PKI

/// Whether a campaign can be over in time, by the turns that the CA's limits leave to its certificates.
struct CampaignForecast: Hashable {
  /// When the last turn comes.
  let end: Instant
  /// What an administrator should know at the beginning, each a sentence; none when all will be well.
  let warnings: [String]

  init(_ turns: [Plan.Turn], deadline: Instant?, at now: Instant) {
    end = turns.last?.at ?? now
    // For what has ended already no turn is early enough: that is no matter of the limits.
    func hasEnded(_ turn: Plan.Turn) -> Bool { turn.slot.end.map { $0 <= now } ?? false }
    let ended = turns.count(where: hasEnded)
    let tooLate = turns.filter { $0.isLate && !hasEnded($0) }
    let pastDeadline = deadline.map { deadline in turns.filter { $0.at > deadline } } ?? []
    warnings = [
      ended == 0 ? nil : "\(ended) of \(turns.count) certificates have ended already.",
      Self.warning(pastDeadline, of: turns.count, after: deadline.map { "the deadline \($0)" } ?? ""),
      Self.warning(tooLate, of: turns.count, after: "the end of the certificate"),
    ].compactMap(\.self)
  }

  private static func warning(_ late: [Plan.Turn], of total: Int, after end: String) -> String? {
    guard let last = late.last else { return nil }
    let limit = last.limit.map { ": \($0.description) decides" } ?? ""
    return "\(late.count) of \(total) certificates get their turn after \(end), the last one \(last.at)\(limit)."
  }
}

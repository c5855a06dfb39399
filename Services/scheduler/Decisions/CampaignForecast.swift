import PKI

/// Whether a campaign can be over in time, by the turns that the CA's limits leave to its certificates.
struct CampaignForecast: Hashable {
  /// When the last turn comes.
  let end: Instant
  /// The turns that come after the deadline, or after the end of their certificates.
  let late: [Plan.Turn]
  let total: Int
  private let deadline: Instant?

  init(_ turns: [Plan.Turn], deadline: Instant?, at now: Instant) {
    end = turns.last?.at ?? now
    late = turns.filter { turn in turn.isLate || deadline.map { turn.at > $0 } ?? false }
    total = turns.count
    self.deadline = deadline
  }

  /// What an administrator should know at the beginning, as a sentence; nil when all will be well.
  var warning: String? {
    guard let last = late.last else { return nil }
    let limit = last.limit.map { "\($0.description) decides" } ?? "they are too many"
    let deadline = deadline.map { "the deadline \($0)" } ?? "the end of the certificate"
    return "\(late.count) of \(total) certificates get their turn after \(deadline), the last one \(last.at): \(limit)."
  }
}

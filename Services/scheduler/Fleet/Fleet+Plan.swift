import GRDB
import PKI
import SchedulerAPI
import Varlink

extension Fleet {
  /// When each certificate is ordered next, as things stand, or if all certificates lived for `lifetime`, or if another CA, with this directory, were
  /// set; and what would go wrong.
  func plan(lifetime: Duration? = nil, authority: String? = nil) async throws -> FleetPlan {
    let settings = try authority.map { try self.settings.rehearsed($0, for: "authority.directory") } ?? self.settings.current
    let (now, suffixes) = (clock.now(), publicSuffixes)
    return try await store.read {
      try FleetPlan(by: settings, lifetime: lifetime, isOtherAuthority: authority != nil, suffixes: suffixes, at: now, from: $0)
    }
  }

  /// The plan that is asked for, in parts that fit a message; if not `inParts`, the first one.
  func plan(
    _ call: AdminMethods.Plan.Parameters, inParts: Bool, tell: @Sendable (AdminMethods.Plan.Reply) async throws -> Void
  ) async throws -> AdminMethods.Plan.Reply {
    let lifetime = call.lifetime.map { Duration.seconds(min(max(60, $0), Self.longestLifetime)) }
    let plan = try await plan(lifetime: lifetime, authority: call.authority)
    let shown = min(plan.turns.count, max(1, call.limit ?? Self.usualTurns))
    var place = min(max(0, call.after ?? 0), shown)
    var part = AdminMethods.Plan.Reply(turns: [], total: plan.turns.count)
    if call.after == nil { (part.days, part.warnings, part.change) = (plan.days, plan.warnings, plan.change) }
    while true {
      let places = place..<min(shown, place + AdminMethods.Plan.lookAhead)
      let fitting = try AdminMethods.Plan.part(of: try await store.read { try plan.shown(places, from: $0) })
      part.turns = fitting.turns
      part.next = fitting.next ?? (places.upperBound < shown ? places.upperBound : nil)
      guard inParts, let next = part.next else { return part }
      try await tell(part)
      place = next
      part = AdminMethods.Plan.Reply(turns: [], total: plan.turns.count)
    }
  }

  /// How many turns are shown if the caller does not say.
  private static let usualTurns = 1_000
  /// Seconds; ten years.
  private static let longestLifetime = 10 * 365 * 86_400
}

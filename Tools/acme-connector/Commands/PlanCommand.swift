import ArgumentParser
import NIOConcurrencyHelpers
import PKI
import SchedulerAPI
import Varlink

/// `acme-connector plan`
struct PlanCommand: ConnectorCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Shows when each certificate is ordered next, which limit of the CA decides, and the load of each day.")

  @Option(help: "Rehearse: as if all certificates lived for so long, as 45d or 160h.") var lifetime: TimeSpan?
  @Option(help: "Rehearse: as if the CA with this directory were set.") var authority: String?
  @Option(help: "At most this many of the next turns.") var limit = 50
  @OptionGroup var options: ConnectorOptions

  func validate() throws {
    guard (1...100_000).contains(limit) else { throw ValidationError("--limit takes a number from 1 to 100000.") }
  }

  func perform(with connector: Connector, on terminal: Terminal) async throws {
    let seconds = (lifetime?.duration.components.seconds).map { Int($0) }
    let reply = try await plan(.init(lifetime: seconds, authority: authority, limit: limit), at: connector)
    if options.json { return try terminal.json(reply) }
    let now = terminal.now
    let wouldHaveEnded: [Table.Column<PlannedTurn>] =
      reply.turns.contains { $0.ended != nil } ? [.init("WOULD HAVE ENDED") { $0.ended?.text }] : []
    let turns = Table(
      reply.turns,
      [
        .init("TURN") { $0.at.text(at: now) },
        .init("DEVICE") { $0.device.rawValue },
        .init("SLOT") { $0.slot },
        .init("ENDS") { $0.end?.text },
      ] + wouldHaveEnded + [
        .init("WAITS FOR") { $0.limit },
        .init("NAMES") { NameList.short($0.names, of: $0.names.count) },
      ])
    try terminal.table(turns, ifEmpty: "There is nothing to be ordered.")
    if reply.total > reply.turns.count { try terminal.line("And \(reply.total - reply.turns.count) later.") }
    if !reply.days.isEmpty {
      try terminal.line("")
      let days = Table(reply.days, [.init("DAY") { String($0.day.text.prefix(10)) }, .init("ORDERS") { "\($0.orders)" }])
      try terminal.table(days, ifEmpty: "")
    }
    for sentence in reply.change?.sentences(at: now) ?? [] { try terminal.line(sentence) }
    for warning in reply.warnings { try terminal.line("Warning: \(warning)") }
  }

  /// All parts of one plan: each asked for by itself would be of another one.
  private func plan(_ parameters: AdminMethods.Plan.Parameters, at connector: Connector) async throws -> AdminMethods.Plan.Reply {
    let parts = NIOLockedValueBox<[AdminMethods.Plan.Reply]>([])
    let last = try await connector.admin.stream(AdminMethods.Plan.self, parameters) { part in parts.withLockedValue { $0.append(part) } }
    let all = parts.withLockedValue { $0 } + [last]
    var plan = all[0]
    (plan.turns, plan.next) = (all.flatMap(\.turns), nil)
    return plan
  }
}

extension AuthorityChange {
  /// What another CA would mean, for a person.
  func sentences(at now: Instant) -> [String] {
    var sentences = ["\(staying) certificates of another CA stay until they are due."]
    if replaced > 0 { sentences.append("\(replaced) of a CA for trials are replaced at once.") }
    if let allAt {
      let limit = limit.map { "; \($0) decides" } ?? ""
      sentences.append("To replace all at once (renew --reason authorityChanged --all) would take until \(allAt.text(at: now))\(limit).")
    }
    return sentences
  }
}

import ArgumentParser
import DeviceGatewayAPI
import PKI
import SchedulerAPI
import Varlink

/// `acme-connector status`
struct StatusCommand: ConnectorCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Shows the whole at a glance, and how devices reach the gateway.")

  @OptionGroup var options: ConnectorOptions

  /// What both services answered.
  struct Overview: Encodable {
    var scheduler: AdminMethods.Status.Reply
    /// Nil when the gateway does not answer.
    var gateway: Logins.Describe.Reply?
  }

  func perform(with connector: Connector, on terminal: Terminal) async throws {
    let overview = Overview(
      scheduler: try await connector.admin.ask(AdminMethods.Status.self),
      gateway: try? await connector.logins.ask(Logins.Describe.self))
    if options.json { return try terminal.json(overview) }
    let now = terminal.now
    var facts = Self.facts(overview.scheduler, now: now)
    if let gateway = overview.gateway {
      facts += GatewayFacts.lines(gateway, now: now)
    } else {
      facts.append(("gateway", "does not answer"))
    }
    try terminal.facts(facts)
  }

  private static func orders(_ status: AdminMethods.Status.Reply, now: Instant) -> String {
    guard status.configured else { return "are not made, for there is no authority" }
    guard let outage = status.outage else { return "may be made" }
    return "wait since \(outage.since.text(at: now)), the next is made \(outage.retryAt.text(at: now)): \(outage.text)"
  }

  private static func facts(_ status: AdminMethods.Status.Reply, now: Instant) -> [(String, String)] {
    let requests = status.requests.filter { $0.count > 0 }.map { "\($0.count) \($0.state.rawValue)" }.joined(separator: ", ")
    var facts = [
      ("version", "\(status.version), since \(status.startedAt.text(at: now))"),
      ("authority", status.authority ?? "none: set authority.directory"),
      ("orders", orders(status, now: now)),
      ("alarms", status.alarms == 0 ? "none" : "\(status.alarms); `acme-connector alarms` lists them"),
      ("devices", "\(status.devices)"),
      ("names", "\(status.names)"),
      ("requests", requests.isEmpty ? "none" : requests),
      ("first expiry", status.nextExpiry?.text(at: now) ?? "-"),
    ]
    if let end = status.cautiousUntil {
      facts.append(("restored", "from a backup; the CA's limits are taken for spent until \(end.text(at: now))"))
    }
    return facts
  }
}

/// How devices reach the gateway, for people.
enum GatewayFacts {
  static func lines(_ gateway: Logins.Describe.Reply, now: Instant) -> [(String, String)] {
    let end = gateway.notAfter.text(at: now)
    let signer = gateway.issuer.map { "issued by \($0)" } ?? "signed by itself"
    var lines = [
      ("devices' path", gateway.path),
      ("pin", gateway.pin.hex),
      ("connections", "\(gateway.connections)"),
      ("gateway's certificate", "\(gateway.fingerprint), \(signer), until \(end)"),
    ]
    if !gateway.names.isEmpty {
      let state = gateway.state.map { " (\($0))" } ?? ""
      lines.append(("gateway's names", gateway.names.joined(separator: ", ") + state))
    }
    if let problem = gateway.problem { lines.append(("gateway's problem", problem)) }
    return lines
  }
}

extension Terminal {
  /// Prints facts, their names in a column of their own.
  func facts(_ facts: [(name: String, value: String)]) throws {
    let width = facts.map(\.name.count).max() ?? 0
    for fact in facts {
      try line("\(fact.name):\(String(repeating: " ", count: width - fact.name.count + 1))\(fact.value)")
    }
  }
}

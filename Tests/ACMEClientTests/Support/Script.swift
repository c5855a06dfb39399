import PKI

@testable import ACMEClient

/// Plays events to an ``OrderMachine`` and keeps what it wants done.
struct Script {
  private var machine: OrderMachine
  private(set) var actions: [OrderAction]
  var now = Instant(milliseconds: 1_000_000)

  init(resuming url: ResourceURL? = nil) {
    (machine, actions) = OrderMachine.begin(resuming: url, now: now)
  }

  /// Plays one event; `actions` is then what came of it.
  mutating func play(_ event: OrderEvent) {
    actions = machine.handle(event, now: now)
  }

  /// An order that has been made and waits for its authorizations.
  static func authorizing(_ names: [String] = ["a.example"]) -> Script {
    var script = Script()
    script.play(.created(CA.url("order/1"), CA.order(.pending, names: names), retryAfter: nil))
    return script
  }

  /// The answer for a name is in place, and the CA was told.
  mutating func prove(_ name: String) {
    play(.authorizationRead(CA.url("authz/\(name)"), CA.authorization(.pending, of: name), retryAfter: nil))
    play(.published(authorization: CA.url("authz/\(name)")))
    play(.challengePosted(authorization: CA.url("authz/\(name)"), CA.challenge(.processing, of: name), retryAfter: nil))
  }

  /// So many names that the order is watched, all of them with the CA.
  static func watching(_ names: [String]) -> Script {
    var script = authorizing(names)
    for name in names { script.prove(name) }
    return script
  }

  /// All names are proved, and the CSR is on its way.
  static func finalizing() -> Script {
    var script = authorizing()
    script.prove("a.example")
    script.play(.authorizationRead(CA.url("authz/a.example"), CA.authorization(.valid), retryAfter: nil))
    return script
  }

  var sent: [OrderRequest] {
    actions.compactMap { if case .send(let request, _) = $0 { request } else { nil } }
  }

  var delays: [Duration] {
    actions.compactMap { if case .send(_, let delay) = $0 { delay } else { nil } }
  }

  var ending: OrderEnding? {
    if case .end(let ending) = actions.last { ending } else { nil }
  }
}

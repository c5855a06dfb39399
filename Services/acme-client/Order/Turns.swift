import PKI

/// An account and the exact set of names: a CA gives the same open order for the same set, so that only one request at a time may have one.
struct NameSet: Sendable, Hashable {
  let account: ResourceURL
  let names: Set<DNSName>
}

/// Who may work on an order now. Calls for one request id, and requests for one set of names, take turns in the order they came; a request with an
/// order on disk comes before the others of its set, which wait for its return for a while.
struct Turns: Sendable {
  /// How long the others wait for a request whose order is open and whose caller has gone. Callers come back within seconds of a restart.
  static let patience = Duration.seconds(30)

  struct Ticket: Sendable, Hashable {
    let number: Int
    let request: String
    let set: NameSet
  }

  private var serving: [Ticket] = []
  private var waiting: [Ticket] = []
  private var owners: [NameSet: (request: String, until: ContinuousClock.Instant)] = [:]
  private var tickets = 0

  /// - Parameter open: the requests that have an open order on disk.
  init(open: [(request: String, set: NameSet)], now: ContinuousClock.Instant) {
    for (request, set) in open { owners[set] = (request, now + Self.patience) }
  }

  /// Gets in line.
  mutating func enter(_ request: String, _ set: NameSet) -> Ticket {
    tickets += 1
    let ticket = Ticket(number: tickets, request: request, set: set)
    waiting.append(ticket)
    return ticket
  }

  /// Leaves the line or the work. `isOpen`: the order stays open, and its request is expected back.
  mutating func leave(_ ticket: Ticket, isOpen: Bool, now: ContinuousClock.Instant) {
    waiting.removeAll { $0 == ticket }
    guard let index = serving.firstIndex(of: ticket) else { return }
    serving.remove(at: index)
    owners[ticket.set] = isOpen ? (ticket.request, now + Self.patience) : nil
  }

  /// The order of a request is forgotten.
  mutating func release(_ request: String) {
    owners = owners.filter { $0.value.request != request }
  }

  /// Lets in whose turn it is.
  mutating func admit(now: ContinuousClock.Instant) -> [Ticket] {
    var admitted: [Ticket] = []
    for ticket in waiting where mayEnter(ticket, now: now) {
      serving.append(ticket)
      admitted.append(ticket)
    }
    waiting.removeAll { admitted.contains($0) }
    return admitted
  }

  private func mayEnter(_ ticket: Ticket, now: ContinuousClock.Instant) -> Bool {
    guard !serving.contains(where: { $0.request == ticket.request || $0.set == ticket.set }) else { return false }
    let owner = owners[ticket.set].flatMap { $0.until > now ? $0.request : nil }
    if owner == ticket.request { return !waiting.contains { $0.number < ticket.number && $0.request == ticket.request } }
    guard owner == nil else { return false }
    return !waiting.contains { $0.number < ticket.number && ($0.request == ticket.request || $0.set == ticket.set) }
  }
}

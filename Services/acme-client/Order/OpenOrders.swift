import PKI
import ServiceLifecycle

/// Gives each request its turn (see ``Turns``).
actor OpenOrders: Service {
  private var turns: Turns
  private var waiters: [Turns.Ticket: Waiter<Void>] = [:]
  /// The work that is under way, and what ends it.
  private var ends: [Turns.Ticket: Waiter<Void>] = [:]
  /// When somebody's patience ends.
  private let alarms = AsyncStream.makeStream(of: ContinuousClock.Instant.self, bufferingPolicy: .bufferingNewest(1024))

  init(open: [JournalEntry]) {
    turns = Turns(open: open.map { ($0.request, NameSet(account: $0.account, names: Set($0.names))) }, now: .now)
    if !open.isEmpty { alarms.continuation.yield(.now + Turns.patience) }
  }

  /// Lets in who has waited long enough, until the process ends.
  func run() async {
    try? await cancelWhenGracefulShutdown {
      for await instant in self.alarms.stream {
        try await Task.sleep(until: instant, clock: .continuous)
        await self.admit()
      }
    }
  }

  /// Runs `body` when it is the request's turn.
  /// - Parameter isOpen: asked afterwards, whether the request's order stays open.
  func inTurn<Value: Sendable>(
    _ request: String, _ set: NameSet, isOpen: @Sendable () async -> Bool, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let ticket = turns.enter(request, set)
    do {
      try await wait(for: ticket)
      let value = try await untilReleased(ticket, body)
      leave(ticket, isOpen: await isOpen())
      return value
    } catch {
      leave(ticket, isOpen: await isOpen())
      throw error
    }
  }

  private func untilReleased<Value: Sendable>(
    _ ticket: Turns.Ticket, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let end = Waiter<Void>()
    ends[ticket] = end
    defer { ends[ticket] = nil }
    return try await withThrowingTaskGroup(of: Value?.self) { tasks in
      defer { tasks.cancelAll() }
      tasks.addTask { try await body() }
      tasks.addTask {
        try await end.value()
        return nil
      }
      guard case let value?? = try await tasks.next() else {
        throw ACMEError(.storage, "order of request \(ticket.request)", "the request was released while its order was under way")
      }
      return value
    }
  }

  /// The request is forgotten: work on it ends, and nobody waits for it any more.
  func release(_ request: String) {
    for (ticket, end) in ends where ticket.request == request { _ = end.give(()) }
    turns.release(request)
    admit()
  }

  private func wait(for ticket: Turns.Ticket) async throws {
    let waiter = Waiter<Void>()
    waiters[ticket] = waiter
    defer { waiters[ticket] = nil }
    admit()
    try await waiter.value()
  }

  private func leave(_ ticket: Turns.Ticket, isOpen: Bool) {
    turns.leave(ticket, isOpen: isOpen, now: .now)
    if isOpen { alarms.continuation.yield(.now + Turns.patience) }
    admit()
  }

  private func admit() {
    for ticket in turns.admit(now: .now) { _ = waiters[ticket]?.give(()) }
  }
}

import PKI
import SchedulerAPI
import Varlink

extension Fleet {
  /// The events that are asked for; if `following`, each new one as it comes, until the caller goes away.
  func events(
    _ call: AdminMethods.ListEvents.Parameters, following: Bool, tell: @Sendable (AdminMethods.ListEvents.Reply) async throws -> Void
  ) async throws -> AdminMethods.ListEvents.Reply {
    let news = watched.events.open()
    var last: Int
    if let after = call.after { last = after } else { last = try await place(beforeNewest: call.limit ?? 100, of: call.device) }
    func nextPart() async throws -> AdminMethods.ListEvents.Reply {
      let part = try AdminMethods.ListEvents.part(
        of: try await events(after: last, limit: AdminMethods.ListEvents.lookAhead, of: call.device))
      last = part.events.last?.id ?? last
      return part
    }
    var part = try await nextPart()
    guard following else { return part }
    // The first one is told even if it is empty: from then on the caller knows that it has missed nothing.
    try await tell(part)
    var iterator = news.makeAsyncIterator()
    while true {
      if part.next == nil, try await iterator.next() == nil { throw Restarting() }
      part = try await nextPart()
      if !part.events.isEmpty { try await tell(part) }
    }
  }
}

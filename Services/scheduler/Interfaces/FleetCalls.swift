import Logging
import SchedulerAPI
import Telemetry
import Varlink

/// How one interface calls what goes wrong: both have the same two errors, each in types of its own.
struct FaultWords: Sendable {
  fileprivate let refused: @Sendable (Refusal) -> any VarlinkFault
  fileprivate let notFound: @Sendable (NotFound) -> any VarlinkFault
  fileprivate let unkept: @Sendable (StoreError) -> any VarlinkFault

  static let devices = FaultWords(
    refused: { SchedulerMethods.Refused(error: $0.word.rawValue, text: $0.text, name: $0.name) },
    notFound: { SchedulerMethods.NotFound(what: $0.what) },
    // Nothing is refused to a device because a disk is full: it calls again, and is served when that is mended.
    unkept: { _ in Restarting() })

  static let administrators = FaultWords(
    refused: { AdminMethods.Refused(error: $0.word.rawValue, text: $0.text, name: $0.name) },
    notFound: { AdminMethods.NotFound(what: $0.what, which: $0.which) },
    unkept: { AdminMethods.Refused(error: "internalError", text: "Nothing was changed, for the database cannot be used: \($0).") })
}

/// Serves methods with what the fleet does, and says what goes wrong in the words of their interface.
struct FleetCalls: Sendable {
  let fleet: Fleet
  let words: FaultWords

  /// A method with one reply.
  func reply<Method: VarlinkMethod>(
    _ method: Method.Type, _ body: @escaping @Sendable (Method.Parameters) async throws -> Method.Reply
  ) -> VarlinkHandler {
    .reply(method) { call, _ in try await answer { try await body(call) } }
  }

  /// A method that has nothing to say but that it is done.
  func reply<Method: VarlinkMethod>(
    _ method: Method.Type, _ body: @escaping @Sendable (Method.Parameters) async throws -> Void
  ) -> VarlinkHandler where Method.Reply == NoMembers {
    reply(method) {
      try await body($0)
      return NoMembers()
    }
  }

  /// A method that lists.
  func list<Method: VarlinkListMethod>(
    _ method: Method.Type, _ entries: @escaping @Sendable (Method.Parameters) async throws -> [Method.Reply.Entry]
  ) -> VarlinkHandler {
    .list(method) { call in try await answer { try await entries(call) } }
  }

  /// A method with many replies.
  func stream<Method: VarlinkMethod>(
    _ method: Method.Type, requiresMore: Bool = true,
    _ body: @escaping @Sendable (Method.Parameters, VarlinkCall, VarlinkReplies<Method.Reply>) async throws -> Method.Reply
  ) -> VarlinkHandler {
    .stream(method, requiresMore: requiresMore) { call, context, replies in try await answer { try await body(call, context, replies) } }
  }

  /// Of a fault of ours the caller hears only that there is one; the journal hears which.
  private func answer<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
    do {
      return try await body()
    } catch let refusal as Refusal {
      throw words.refused(refusal)
    } catch let missing as NotFound {
      throw words.notFound(missing)
    } catch let failure as StoreError {
      throw words.unkept(failure)
    } catch {
      if !(error is CancellationError || error is any VarlinkFault) {
        fleet.logger.log(.internalFault, "a call could not be served", error: error)
      }
      throw error
    }
  }
}

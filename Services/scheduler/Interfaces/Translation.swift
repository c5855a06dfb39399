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

extension Fleet {
  /// Runs a call and says what went wrong in the words of its interface. Of a fault of ours the caller hears only that there is one; the journal
  /// hears which.
  func answer<Value: Sendable>(_ words: FaultWords, _ body: @Sendable () async throws -> Value) async throws -> Value {
    do {
      return try await body()
    } catch let refusal as Refusal {
      throw words.refused(refusal)
    } catch let missing as NotFound {
      throw words.notFound(missing)
    } catch let failure as StoreError {
      throw words.unkept(failure)
    } catch {
      if !(error is CancellationError || error is any VarlinkFault) { logger.log(.internalFault, "a call could not be served", error: error) }
      throw error
    }
  }
}

import Logging
import SchedulerAPI
import Telemetry
import Varlink

/// How one interface calls what goes wrong: both have the same two errors, each in types of its own.
struct FaultWords: Sendable {
  fileprivate let refused: @Sendable (Refusal) -> any VarlinkFault
  fileprivate let notFound: @Sendable (NotFound) -> any VarlinkFault

  static let devices = FaultWords(
    refused: { SchedulerMethods.Refused(error: $0.word.rawValue, text: $0.text, name: $0.name) },
    notFound: { SchedulerMethods.NotFound(what: $0.what) })

  static let administrators = FaultWords(
    refused: { AdminMethods.Refused(error: $0.word.rawValue, text: $0.text, name: $0.name) },
    notFound: { AdminMethods.NotFound(what: $0.what, which: $0.which) })
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
    } catch is StoreError {
      // The journal has it. Nothing is refused because a disk is full: who calls again is served when it is mended.
      throw Restarting()
    } catch {
      if !(error is CancellationError || error is any VarlinkFault) { logger.log(.internalFault, "a call could not be served", error: error) }
      throw error
    }
  }
}

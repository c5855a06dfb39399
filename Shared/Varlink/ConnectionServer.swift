import Logging
import NIOConcurrencyHelpers
import Telemetry

/// Serves the calls of a connection one after another, in the order they came (varlink.org, "Service").
struct ConnectionServer: Sendable {
  let dispatcher: Dispatcher
  let limits: VarlinkLimits
  let ending: Ending
  let logger: Logger
  private let open = NIOLockedValueBox(0)

  init(dispatcher: Dispatcher, limits: VarlinkLimits, ending: Ending, logger: Logger) {
    self.dispatcher = dispatcher
    self.limits = limits
    self.ending = ending
    self.logger = logger
  }

  func serve(_ connection: Connection, listener: String) async {
    let isAdmitted = open.withLockedValue { open in
      open += 1
      return open <= limits.connections
    }
    defer { open.withLockedValue { $0 -= 1 } }
    if isAdmitted {
      await withDiscardingTaskGroup { tasks in
        tasks.addTask { await end(connection) }
        await answerCalls(of: connection, listener: listener)
        tasks.cancelAll()
      }
    } else {
      logger.warning("connection refused: all \(limits.connections) are taken", metadata: [.socket: listener])
    }
    await connection.close()
  }

  private func answerCalls(of connection: Connection, listener: String) async {
    do {
      for try await message in connection.messages {
        guard try await dispatcher.answer(message, of: connection, listener: listener) else { return }
        connection.proceed()
        if ending.begun.hasFired { connection.endInput() }
      }
    } catch {
      // The peer went away, or did not keep to the protocol: its own affair, and nothing is lost.
      logger.debug("connection ended", error: error, metadata: [.socket: listener])
    }
  }

  /// Follows the server to its end. A connection that was accepted but has made no call yet may still make one. Cancellation is the end too: an
  /// answer that waits for a peer that does not read is not cancelled otherwise.
  private func end(_ connection: Connection) async {
    defer { connection.abort() }
    await ending.begun.wait()
    guard !Task.isCancelled else { return }
    connection.endInput(sparesFresh: true)
    await ending.overdue.wait()
    guard !Task.isCancelled else { return }
    connection.endInput()
    await ending.over.wait()
  }
}

import AppWebsocket
import Logging
import NIOConcurrencyHelpers
import PKI
import ResponderAPI
import Telemetry
import Varlink

/// Looks up at challenge-http what devices are asked for, for those that ask for each request: an answer, or that there is none and the device is to
/// follow its own rules.
final class ChallengeLookups: Sendable {
  /// A question that is on its way.
  private struct Question: Sendable {
    let message: GetChallenge
    let asker: Asker
    let trace: TraceContext
    let answer: @Sendable (Result<GetChallengeResult, Refused>) -> Void
  }

  /// Who was asked for a token.
  struct Asker: Sendable {
    let name: String
    let address: PeerAddress
  }

  /// Why there is no answer, in the words of the device protocol.
  struct Refused: Error {
    let error: ErrorToken
    let text: String
  }

  private static let underWayLimit = 16
  private static let waitingLimit = 1000
  /// A CA waits ten seconds for its answer, and the device has to be told in time.
  private static let timeLimit = Duration.seconds(5)
  /// The longest host that makes sense; it is for the log only.
  private static let hostLimit = 300

  private let challenges: VarlinkClient
  private let logger: Logger
  private let waiting = NIOLockedValueBox(0)
  private let questions = AsyncStream.makeStream(of: Question.self)

  init(at challenges: VarlinkClient, logger: Logger) {
    self.challenges = challenges
    self.logger = logger
  }

  /// Has a question answered. What can be no token is none, and troubles nobody.
  func ask(_ message: GetChallenge, by asker: Asker, answer: @escaping @Sendable (Result<GetChallengeResult, Refused>) -> Void) {
    guard ChallengeToken(message.token) != nil else { return answer(.success(GetChallengeResult(nil))) }
    let isTaken = waiting.withLockedValue { waiting in
      guard waiting < Self.waitingLimit else { return false }
      waiting += 1
      return true
    }
    guard isTaken else { return answer(.failure(Refused(error: .busy, text: "Too many look-ups are waiting; follow your own rules."))) }
    questions.continuation.yield(Question(message: message, asker: asker, trace: TraceContext.current ?? .make(), answer: answer))
  }

  /// Works until it is cancelled.
  func work() async {
    await withTaskGroup(of: Void.self) { tasks in
      var underWay = 0
      for await question in questions.stream {
        waiting.withLockedValue { $0 -= 1 }
        if underWay == Self.underWayLimit {
          await tasks.next()
          underWay -= 1
        }
        underWay += 1
        tasks.addTask {
          await TraceContext.$current.withValue(question.trace) { question.answer(await self.lookUp(question.message, for: question.asker)) }
        }
      }
    }
  }

  private func lookUp(_ message: GetChallenge, for asker: Asker) async -> Result<GetChallengeResult, Refused> {
    let parameters = Challenges.Lookup.Parameters(
      host: message.host.map { String($0.prefix(Self.hostLimit)) }, token: message.token, asker: asker.name, address: "\(asker.address)")
    do {
      let reply = try await challenges.call(Challenges.Lookup.self, parameters, timeLimit: Self.timeLimit)
      if reply.found {
        logger.info("a device has looked a challenge up", metadata: [.token: message.token, .host: message.host, .peer: asker.address])
      }
      return .success(GetChallengeResult(reply.keyAuthorization))
    } catch {
      logger.log(.serviceUnanswered, "challenge-http could not be asked", error: error)
      return .failure(Refused(error: .busy, text: "The connector cannot look that up now; follow your own rules."))
    }
  }
}

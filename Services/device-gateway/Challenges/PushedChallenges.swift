import AppWebsocket
import Logging
import Metrics
import NIOConcurrencyHelpers
import PKI
import ResponderAPI
import SchedulerAPI
import ServiceRuntime
import Telemetry

/// The challenges that devices answer themselves, as acme-client and the devices' sessions change them.
///
/// A lock, not an actor: event loops come here. It calls nobody but the sessions.
final class PushedChallenges: Sendable {
  private typealias Table = ChallengeTable<SessionReference>

  private struct State {
    var table: Table
    var waiting: [ChallengeCall: CheckedContinuation<Table.Verdict?, Never>] = [:]
    var calls: UInt64 = 0
  }

  private let state: NIOLockedValueBox<State>
  private let file: ChallengeRolesFile
  private let limits: ChallengeLimits
  private let clock: WallClock
  private let logger: Logger
  /// However many changes there are during a write, one more has all of them.
  private let roleChanges = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

  /// Remembers which devices answer by themselves.
  init(_ file: ChallengeRolesFile, limits: ChallengeLimits = ChallengeLimits(), clock: WallClock, logger: Logger) throws {
    state = NIOLockedValueBox(State(table: Table(limits: limits, remembering: try file.load(), now: clock.now())))
    self.file = file
    self.limits = limits
    self.clock = clock
    self.logger = logger
  }

  /// Which names cannot be answered for now.
  func obstacles(to names: [DNSName], of device: String?) -> [Responder.Obstacle] {
    let now = clock.now()
    return state.withLockedValue { $0.table.obstacles(to: names, of: device.map(DeviceID.init(rawValue:)), now: now) }
  }

  /// Puts an answer in place, and returns when those have confirmed who have to.
  /// - Throws: ``Responder/NotPublished``; `CancellationError` when the caller has gone or the gateway ends.
  func publish(_ wish: Responder.Publish.Parameters) async throws -> Responder.Publish.Reply {
    let call = state.withLockedValue { state in
      state.calls += 1
      return ChallengeCall(number: state.calls)
    }
    let verdict = await withTaskGroup { tasks in
      tasks.addTask {
        guard (try? await Task.sleep(for: self.limits.confirmation)) != nil else { return }
        self.change { $0.table.timeOver(call, about: wish.token, now: self.clock.now()) }
      }
      defer { tasks.cancelAll() }
      return await self.verdict(on: wish, call)
    }
    guard let verdict else { throw CancellationError() }
    remark(verdict, on: wish)
    return try verdict.get()
  }

  /// Ends the lease of an order.
  func withdraw(order: String, token: ChallengeToken) {
    change { $0.table.withdraw(order: order, token: token) }
  }

  /// A device is connected, and has perhaps described itself.
  /// - Returns: whether an order that had to wait may be made now.
  func met(_ device: DeviceID, on session: SessionReference, _ identity: DeviceIdentity, saying description: RegisterDevice?) -> Bool {
    change { $0.table.met(device, on: session, identity, saying: description, now: clock.now()) }
  }

  func left(_ session: SessionReference) {
    state.withLockedValue { $0.table.left(session, now: clock.now()) }
  }

  /// A device has said whether it has an answer in place.
  func answered(_ result: ChallengeAddedResult, by session: SessionReference) {
    change { $0.table.answered(result, by: session, now: clock.now()) }
  }

  /// Keeps roles on disk and ends what has expired, until it is cancelled.
  func work() async {
    await withTaskGroup { tasks in
      tasks.addTask {
        for await _ in self.roleChanges.stream { self.file.store(self.state.withLockedValue(\.table.lastingRoles)) }
      }
      tasks.addTask {
        while (try? await Task.sleep(for: .seconds(30))) != nil { self.change { $0.table.sweep(now: self.clock.now()) } }
      }
    }
  }

  /// Nil when the call was given up.
  private func verdict(on wish: Responder.Publish.Parameters, _ call: ChallengeCall) async -> ChallengeTable<SessionReference>.Verdict? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        change { state in
          state.waiting[call] = continuation
          return state.table.publish(wish, as: call, now: clock.now())
        }
        // Cancelled before there was anything to be given up.
        if Task.isCancelled { giveUp(call, about: wish.token) }
      }
    } onCancel: {
      giveUp(call, about: wish.token)
    }
  }

  private func giveUp(_ call: ChallengeCall, about token: ChallengeToken) {
    let waiting = state.withLockedValue { state in
      state.table.forget(call, about: token)
      return state.waiting.removeValue(forKey: call)
    }
    waiting?.resume(returning: nil)
  }

  /// Changes the table, and does what follows when the lock is free again.
  /// - Returns: whether the scheduler should look again at what waits.
  @discardableResult
  private func change(_ body: (inout State) -> [Table.Action]) -> Bool {
    let (actions, answers) = state.withLockedValue { state in
      let actions = body(&state)
      var answers: [(CheckedContinuation<Table.Verdict?, Never>, Table.Verdict)] = []
      for case .answer(let call, let verdict) in actions {
        if let waiting = state.waiting.removeValue(forKey: call) { answers.append((waiting, verdict)) }
      }
      return (actions, answers)
    }
    var isToLookAgain = false
    for action in actions {
      switch action {
      case .lookAgain: isToLookAgain = true
      case .add(let message, let session):
        session.perform {
          $0.tell(message)
          RehearsedDeath.at("device-gateway.challengePushed")
        }
      case .remove(let message, let session): session.perform { $0.tell(message) }
      case .keepRoles: roleChanges.continuation.yield()
      case .answer: break
      }
    }
    for (waiting, verdict) in answers { waiting.resume(returning: verdict) }
    return isToLookAgain
  }

  private func remark(_ verdict: ChallengeTable<SessionReference>.Verdict, on wish: Responder.Publish.Parameters) {
    let metadata: LogFields = [.name: wish.name, .token: wish.token, .device: wish.device]
    switch verdict {
    case .success(let reply) where reply.outcome == .notMine: return
    case .success:
      RehearsedDeath.at("device-gateway.challengeConfirmed")
      logger.info("a device has the challenge answer in place", metadata: metadata)
      Counter(label: "gateway_challenges_pushed", dimensions: [("outcome", "inPlace")]).increment()
    case .failure(let fault):
      logger.notice("no device has the challenge answer in place: \(fault.reason)", metadata: metadata)
      Counter(label: "gateway_challenges_pushed", dimensions: [("outcome", "failed")]).increment()
    }
  }
}

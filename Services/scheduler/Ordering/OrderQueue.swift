import ACMEClientAPI
import GRDB
import Logging
import Metrics
import PKI
import SchedulerAPI
import ServiceLifecycle
import ServiceRuntime
import Telemetry
import Varlink

/// Works off the queue: at most so many orders at a time, each taken up where it was when the process ended, and what acme-client keeps
/// is released when the chain is on disk here. Beside that it asks the CA when it would like certificates to be renewed, and sees to it that what is
/// due is begun: it sleeps until the next such moment, or until something has changed.
///
/// The store says what is to be done; this actor knows only what it does already, and looks again whenever something may have changed.
actor OrderQueue: Service {
  private let fleet: Fleet
  private let client: VarlinkClient
  private let clock: any Clock<Duration>
  private let board: OrderBoard
  private var releasing: Set<RequestID> = []
  /// The certificates about which the CA is being asked.
  private var inquiring: Set<RequestID> = []
  /// The certificates that are being looked for at their names.
  private var observing: Set<RequestID> = []
  /// When the queue looks for itself. Only a moment before all others is added, so these are few.
  private var timers: Set<Instant> = []

  /// How many looks at names are under way at a time, beside the orders.
  private static let concurrentObservations = 4
  /// How long it sleeps at most: the clock may have been moved meanwhile.
  private static let longestRest = Duration.seconds(900)

  /// - Parameters:
  ///   - client: acme-client.
  ///   - clock: what pauses are measured by.
  init(fleet: Fleet, client: VarlinkClient, clock: any Clock<Duration> = ContinuousClock()) {
    self.fleet = fleet
    self.client = client
    self.clock = clock
    board = fleet.board
  }

  /// Works until graceful shutdown. Orders under way are interrupted then, and taken up by the next process.
  func run() async throws {
    do {
      try await cancelWhenGracefulShutdown { try await self.work() }
    } catch is CancellationError {
      // Asked to end.
    }
  }

  private func work() async throws {
    try await withThrowingDiscardingTaskGroup { tasks in
      tasks.addTask {
        await RetryPolicy(clock: self.clock, chance: self.fleet.chance, logger: self.fleet.logger).persist(in: "BeginCampaign") {
          try await self.fleet.goOnWithCampaigns()
        }
      }
      board.wake()
      for await wake in board.wakes {
        let began = ContinuousClock.now
        let wasIdle = isIdle
        let batch = try await nextBatchIfPossible()
        Timer(label: "scheduler_look_duration").record(duration: ContinuousClock.now - began)
        for (request, authority) in batch?.orders ?? [] {
          let stops = board.begin(request.id)
          tasks.addTask { await self.carryOut(request, from: authority, until: stops) }
        }
        for request in batch?.toRelease ?? [] {
          releasing.insert(request.id)
          tasks.addTask { await self.release(request) }
        }
        for inquiry in batch?.inquiries ?? [] {
          inquiring.insert(inquiry.request)
          tasks.addTask { await self.carryOut(inquiry) }
        }
        for observation in batch?.observations ?? [] {
          observing.insert(observation.request)
          tasks.addTask { await self.carryOut(observation) }
        }
        let latest = fleet.clock.now() + (batch == nil ? RetryPolicy.longest : Self.longestRest)
        let next = min(batch?.nextMoment ?? latest, latest)
        if timers.allSatisfy({ next < $0 }) {
          timers.insert(next)
          tasks.addTask { await self.ring(at: next) }
        }
        // What ended while it looked may have left something to do, and has it look again.
        if batch != nil, wasIdle, isIdle { board.rests.publish(wake) }
      }
      throw CancellationError()
    }
  }

  /// Nothing is under way.
  private var isIdle: Bool { board.underWay.isEmpty && releasing.isEmpty && inquiring.isEmpty && observing.isEmpty }

  private struct Batch {
    var orders: [(request: RequestRecord, authority: Authority)] = []
    var toRelease: [RequestRecord] = []
    var inquiries: [RenewalInquiry] = []
    var observations: [Observation] = []
    var nextMoment: Instant?
    /// Which state of the database this is, if orders are begun.
    var generation: Int64?
  }

  /// Nil when the store cannot be used, because its disk is full perhaps (the store tells): what is known is still answered, and the queue goes on
  /// later.
  private func nextBatchIfPossible() async throws -> Batch? {
    do {
      return try await nextBatch()
    } catch {
      try Task.checkCancellation()
      if !(error is StoreError) {
        fleet.logger.log(.storingFailed, "the queue cannot be worked off, trying again: \(error)", metadata: [.pause: RetryPolicy.longest])
      }
      return nil
    }
  }

  /// What there is to do, and not done yet. The orders that begin are marked so, all in one go.
  private func nextBatch() async throws -> Batch {
    let underWay = board.underWay
    let (releasing, inquiring, observing) = (releasing, inquiring, observing)
    let limit = fleet.settings.current.concurrentOrders
    let batch = try await fleet.transact { transaction in
      let database = transaction.database
      let overdueSince = try transaction.overdueSince()
      try transaction.catchUp()
      let released = try transaction.readable(RequestRecord.toRelease(limit + releasing.count, from: database))
      let inTurn = try transaction.readable(RequestRecord.inTurn(limit + underWay.count + releasing.count, at: transaction.now, from: database))
      let new = inTurn.filter { !underWay.contains($0.id) && !releasing.contains($0.id) }.prefix(max(0, limit - underWay.count))
      let orders = try new.compactMap { try transaction.begin($0) }
      try transaction.reviewPunctuality(overdueSince: overdueSince)
      return Batch(
        orders: orders,
        toRelease: Array(released.filter { !releasing.contains($0.id) && !underWay.contains($0.id) }.prefix(max(0, limit - releasing.count))),
        inquiries: try transaction.inquiries(RenewalSchedule.inquiriesAtOnce, beside: inquiring),
        observations: try transaction.observations(Self.concurrentObservations, beside: observing),
        nextMoment: try transaction.nextMoment(), generation: try orders.isEmpty ? nil : transaction.nextGeneration())
    }
    // Before the CA is asked: a state in which that was not so is an older one.
    if let generation = batch.generation { try fleet.store.generation.write(generation) }
    if !batch.orders.isEmpty { RehearsedDeath.at("scheduler.orderingStored") }
    return batch
  }

  private func ring(at moment: Instant) async {
    guard (try? await Self.sleep(until: moment, of: fleet.clock, on: clock)) != nil else { return }
    timers.remove(moment)
    board.wake()
  }

  /// Sleeps until a time of day. Should the clock be moved meanwhile, this ends too early, and never too late.
  private static func sleep<C: Clock>(until moment: Instant, of wallClock: WallClock, on clock: C) async throws where C.Duration == Duration {
    let start = clock.now
    let pause = moment - wallClock.now()
    if pause > .zero { try await clock.sleep(until: start.advanced(by: pause), tolerance: nil) }
  }

  /// Carries an order out, unless it is stopped before its end.
  private func carryOut(_ request: RequestRecord, from authority: Authority, until stops: AsyncStream<Void>) async {
    let order = Order(request, from: authority, fleet: fleet, client: client, clock: clock)
    await TraceContext.$current.withValue(request.trace.child()) {
      await TraceCategory.$current.withValue(fleet.settings.current.traced(of: request.device)) {
        await withTaskGroup(of: Void.self) { tasks in
          tasks.addTask { await order.run() }
          tasks.addTask { for await _ in stops {} }
          await tasks.next()
          tasks.cancelAll()
        }
      }
    }
    board.end(request.id)
    if !Task.isCancelled { board.wake() }
  }

  /// Asks the CA when it would like a certificate to be renewed.
  private func carryOut(_ inquiry: RenewalInquiry) async {
    await TraceContext.$current.withValue(inquiry.trace.child()) {
      await TraceCategory.$current.withValue(fleet.settings.current.traced(of: inquiry.device)) {
        await inquiry.run(fleet: fleet, client: client, clock: clock)
      }
    }
    inquiring.remove(inquiry.request)
    if !Task.isCancelled { board.wake() }
  }

  /// Looks whether a certificate is in use.
  private func carryOut(_ observation: Observation) async {
    await TraceContext.$current.withValue(observation.trace.child()) { await observation.run(fleet: fleet, client: client, clock: clock) }
    observing.remove(observation.request)
    if !Task.isCancelled { board.wake() }
  }

  /// Tells acme-client that what it keeps for the request is needed no more.
  private func release(_ request: RequestRecord) async {
    await TraceContext.$current.withValue(request.trace.child()) {
      await RetryPolicy(clock: clock, chance: fleet.chance, logger: fleet.logger).persist(in: "Release") {
        _ = try await client.call(ACMEClient.Release.self, .init(request: request.id.rawValue), timeLimit: .seconds(30))
        try await fleet.forgetHeld(request.id)
        RehearsedDeath.at("scheduler.released")
      }
    }
    releasing.remove(request.id)
    if !Task.isCancelled { board.wake() }
  }
}

extension Transaction {
  /// A request's turn has come, or its order is taken up with the authority it began with.
  /// - Returns: the request and its authority; nil when it cannot be ordered now.
  fileprivate mutating func begin(_ request: RequestRecord) throws -> (request: RequestRecord, authority: Authority)? {
    if request.phase == .ordering {
      if let authority = request.orderedFrom ?? settings.authority(at: request.authority) { return (request, authority) }
      // Written by a version that did not keep it: to go on with another CA would leave the first one's order open.
      try fail(
        request,
        AttemptFailure(
          error: .accountProblem,
          text: "The order with \(request.authority) was interrupted, and that authority is not set any more; the next attempt takes the one that is."
        ))
      return nil
    }
    guard let authority = settings.authority, try !claimLostNames(of: request) else { return nil }
    var request = request
    guard try spend(for: &request, from: authority) else { return nil }
    request.order(from: authority)
    try handle(.orderBegan, of: request)
    try AttemptRecord(request: request.id, beganAt: now).insert(database)
    return (request, authority)
  }
}

extension Settings {
  /// The authority, if it is the one with this directory.
  func authority(at directory: String) -> Authority? {
    authority.flatMap { DirectoryURL($0.directory) == DirectoryURL(directory) ? $0 : nil }
  }
}

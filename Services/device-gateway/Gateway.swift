import Logging
import Metrics
import NIOCore
import ServiceLifecycle

/// The door, the watch on the scheduler and the errands between them, as one service that ends in good order.
struct Gateway: Service {
  let door: Door
  let watch: SchedulerWatch
  let proxies: TrustedProxies
  let ownDevice: OwnDevice
  let errands: Errands
  let challenges: PushedChallenges
  let lookups: ChallengeLookups
  let logins: LoginStore
  let refusedLogins: RefusedLogins
  let attendance: Attendance
  /// How long what was taken may still take when the gateway ends, and how long it waits for the scheduler when it begins.
  var grace = Duration.seconds(2)

  func run() async throws {
    try await withThrowingDiscardingTaskGroup { tasks in
      tasks.addTask { await watch.run() }
      await atMost(grace) { await proxies.areSettled() }
      let listeners = try await door.open()
      tasks.addTask { await errands.work() }
      tasks.addTask { await ownDevice.run() }
      tasks.addTask { await challenges.work() }
      tasks.addTask { await lookups.work() }
      tasks.addTask { await door.keepPinging() }
      tasks.addTask { await refusedLogins.run(errands.scheduler) }
      tasks.addTask { await attendance.run(errands.scheduler) }
      try? await gracefulShutdown()
      // Who comes now waits in the kernel's queue for the next process.
      for listener in listeners { try? await listener.close() }
      await atMost(grace) { await errands.finish() }
      await atMost(grace) { await door.connections.closeAll() }
      try? await logins.storeUses()
      tasks.cancelAll()
    }
  }

  private func atMost(_ limit: Duration, _ body: @escaping @Sendable () async -> Void) async {
    await withTaskGroup(of: Void.self) { tasks in
      tasks.addTask(operation: body)
      tasks.addTask { try? await Task.sleep(for: limit) }
      await tasks.next()
      tasks.cancelAll()
    }
  }
}

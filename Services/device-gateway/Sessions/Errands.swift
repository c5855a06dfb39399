import AppWebsocket
import Logging
import NIOConcurrencyHelpers
import SchedulerAPI
import Telemetry

/// The errands of all devices: one under way for each device, a bounded number in all.
final class Errands: Sendable {
  private struct Item: Sendable {
    let session: SessionReference
    let errand: Errand
    let identity: DeviceIdentity
    /// Nil until the device is registered.
    let device: DeviceID?
    let trace: TraceContext
  }

  /// Well below the connections that the scheduler takes (`VarlinkLimits.connections`).
  private static let underWayLimit = 32

  let scheduler: SchedulerClient
  private let devices: Devices
  /// How many may wait: a session has at most one errand here, but sessions come and go faster than a scheduler that is stuck answers.
  private static let waitingLimit = 20_000

  private let waiting = NIOLockedValueBox(0)
  private let items = AsyncStream.makeStream(of: Item.self)
  private let done = AsyncStream.makeStream(of: Never.self)

  init(scheduler: SchedulerClient, devices: Devices) {
    self.scheduler = scheduler
    self.devices = devices
  }

  /// Has an errand run in the trace of the caller; the session gets its outcome, unless it has left before its turn.
  func run(_ errand: Errand, for session: SessionReference, as identity: DeviceIdentity, device: DeviceID?) {
    let isTaken = waiting.withLockedValue { waiting in
      guard waiting < Self.waitingLimit else { return false }
      waiting += 1
      return true
    }
    guard isTaken else {
      // Without its registration a device is told nothing; it is to come again.
      if case .register(nil) = errand { return session.perform { $0.close(.busy, "too many devices wait, come again later") } }
      return session.perform { $0.finished(errand, .refused(.busy, "Too many requests are waiting; try again later."), device: device) }
    }
    items.continuation.yield(
      Item(session: session, errand: errand, identity: identity, device: device, trace: TraceContext.current ?? .make()))
  }

  /// Works until `finish`, and then until what was taken is done.
  func work() async {
    await withTaskGroup(of: Void.self) { tasks in
      var underWay = 0
      for await item in items.stream {
        waiting.withLockedValue { $0 -= 1 }
        guard devices.contains(item.session) else { continue }
        if underWay == Self.underWayLimit {
          await tasks.next()
          underWay -= 1
        }
        underWay += 1
        tasks.addTask { await TraceContext.$current.withValue(item.trace) { await self.run(item) } }
      }
    }
    done.continuation.finish()
  }

  /// Takes no more errands, and returns when those taken are done.
  func finish() async {
    items.continuation.finish()
    for await _ in done.stream {}
  }

  private func run(_ item: Item) async {
    var device = item.device
    let outcome: Errand.Outcome
    do {
      if case .register(let description) = item.errand {
        let reply = try await register(item, description)
        (device, outcome) = (reply.device, .registered(reply.settings))
      } else {
        // A device that only wants a certificate has not registered.
        if device == nil { device = try await register(item, nil).device }
        guard let device else { return }
        outcome = try await scheduler.run(item.errand, for: device)
      }
    } catch {
      outcome = scheduler.refusal(for: error)
    }
    item.session.perform { [device] in $0.finished(item.errand, outcome, device: device) }
  }

  private func register(_ item: Item, _ description: RegisterDevice?) async throws -> SchedulerMethods.Register.Reply {
    devices.registrationBegan()
    defer { devices.registrationEnded() }
    let reply = try await scheduler.register(item.identity, description.map(DeviceDescription.init))
    devices.registered(item.session, as: reply.device)
    return reply
  }
}

import AppWebsocket
import Logging
import NIOConcurrencyHelpers
import SchedulerAPI
import Telemetry

/// The errands of all devices: one under way for each device, a bounded number in all.
final class Errands: Sendable {
  private struct Order: Sendable {
    let session: SessionReference
    let errand: Errand
    let identity: DeviceIdentity
    /// Nil until the device is registered.
    let device: DeviceID?
    let trace: TraceContext
  }

  /// Well below the connections that the scheduler takes (`VarlinkLimits.connections`).
  private static let underWayLimit = 32

  let desk: SchedulerDesk
  private let devices: Devices
  /// How many may wait: a session has at most one errand here, but sessions come and go faster than a scheduler that is stuck answers.
  private static let waitingLimit = 20_000

  private let waiting = NIOLockedValueBox(0)
  private let orders = AsyncStream.makeStream(of: Order.self)
  private let done = AsyncStream.makeStream(of: Never.self)

  init(desk: SchedulerDesk, devices: Devices) {
    self.desk = desk
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
    orders.continuation.yield(
      Order(session: session, errand: errand, identity: identity, device: device, trace: TraceContext.current ?? .make()))
  }

  /// Works until `finish`, and then until what was taken is done.
  func work() async {
    await withTaskGroup(of: Void.self) { tasks in
      var underWay = 0
      for await order in orders.stream {
        waiting.withLockedValue { $0 -= 1 }
        guard devices.contains(order.session) else { continue }
        if underWay == Self.underWayLimit {
          await tasks.next()
          underWay -= 1
        }
        underWay += 1
        tasks.addTask { await TraceContext.$current.withValue(order.trace) { await self.run(order) } }
      }
    }
    done.continuation.finish()
  }

  /// Takes no more errands, and returns when those taken are done.
  func finish() async {
    orders.continuation.finish()
    for await _ in done.stream {}
  }

  private func run(_ order: Order) async {
    var device = order.device
    let outcome: Errand.Outcome
    do {
      if case .register(let description) = order.errand {
        let reply = try await register(order, description)
        (device, outcome) = (reply.device, .registered(reply.settings))
      } else {
        // A device that only wants a certificate has not registered.
        if device == nil { device = try await register(order, nil).device }
        guard let device else { return }
        outcome = try await desk.run(order.errand, for: device)
      }
    } catch {
      outcome = desk.refusal(for: error)
    }
    order.session.perform { [device] in $0.finished(order.errand, outcome, device: device) }
  }

  private func register(_ order: Order, _ description: RegisterDevice?) async throws -> SchedulerMethods.Register.Reply {
    devices.registrationBegan()
    defer { devices.registrationEnded() }
    let reply = try await desk.register(order.identity, description.map(DeviceDescription.init))
    devices.registered(order.session, as: reply.device)
    return reply
  }
}

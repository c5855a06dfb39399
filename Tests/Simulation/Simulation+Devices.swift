import Chance
import PKI
import SchedulerAPI

// The devices' side, and the administrator's.
extension Simulation {
  /// It logs in.
  mutating func come(_ number: Int) {
    if isStopped {
      world.put(.come(number), at: incidents.stop.upperBound + .seconds(60) * generator.fraction())
      return
    }
    if devices[number].manner == .replaced, !devices[number].isHere(at: now) { return }
    if devices[number].cameAt == nil { devices[number].cameAt = now }
    if !devices[number].stays {
      devices[number].leavesAt = now + ModelDevice.stay
      world.put(.come(number), at: now + .days(7))
    }
    confirm(number)
    if state.slots[number].schedule == nil { order(number) }
    advance(number, .deviceCame)
    fetch(number)
  }

  /// It is given a second name, and hands in a CSR for both at once.
  mutating func grow(_ number: Int) {
    if isStopped || state.slots[number].isOrdering { return world.put(.grow(number), at: now + .days(1)) }
    devices[number].grow()
    advance(number, .requested)
    order(number)
  }

  /// An administrator gives it the name that it waits for.
  mutating func approve(_ number: Int) {
    if isStopped { return world.put(.approve(number), at: incidents.stop.upperBound) }
    for name in devices[number].names { state.holders[name] = number }
    truth.approved.insert(number)
    state.events.record(.nameApproved, of: number)
    grant(number)
  }

  /// It takes with it what waits for it, and installs that in time.
  mutating func fetch(_ number: Int) {
    guard let ready = state.slots[number].ready else { return }
    devices[number].fetched = ready
    devices[number].fetchedAt = now
    world.put(.install(number), at: max(now, ready.installAt))
  }

  mutating func install(_ number: Int) {
    devices[number].install(at: now)
    if devices[number].isHere(at: now), !isStopped { confirm(number) }
  }

  /// Its receipt.
  private mutating func confirm(_ number: Int) {
    guard let ready = state.slots[number].ready, devices[number].inUse == ready.validity else { return }
    _ = state.slots[number].machine.handle(.installed, at: clock)
    state.slots[number].inUse = ready.validity
    state.slots[number].ready = nil
    review(number)
  }
}

import Chance
import PKI

// The devices' side.
extension Simulation {
  /// It logs in.
  mutating func come(_ number: Int) {
    if isStopped {
      world.put(.come(number), at: incidents.stop.upperBound + .seconds(60) * generator.fraction())
      return
    }
    if !devices[number].stays {
      devices[number].leavesAt = now + ModelDevice.stay
      world.put(.come(number), at: now + .days(7))
    }
    confirm(number)
    if state.slots[number].schedule == nil { order(number) }
    advance(number, .deviceCame)
    fetch(number)
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

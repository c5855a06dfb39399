import Synchronization
import Testing

@testable import ACMEClient

@Suite("Waiting for one another")
struct ConcurrencyTests {
  /// Counts who is in, and the most at once.
  actor Gauge {
    private var inside = 0
    private(set) var most = 0

    func pass() async {
      inside += 1
      most = max(most, inside)
      await Task.yield()
      inside -= 1
    }
  }

  @Test("only so many are let in at once, and all in the end")
  func places() async throws {
    let (places, gauge) = (Semaphore(3), Gauge())
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      for _ in 0..<50 { tasks.addTask { try await places.withPermit { await gauge.pass() } } }
      try await tasks.waitForAll()
    }
    #expect((1...3).contains(await gauge.most))
  }

  @Test("what concerns one thing is done one after the other")
  func oneAtATime() async throws {
    let (one, gauge) = (KeyedMutex<String>(), Gauge())
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      for _ in 0..<50 { tasks.addTask { try await one.withLock("key") { await gauge.pass() } } }
      try await tasks.waitForAll()
    }
    #expect(await gauge.most == 1)
  }

  @Test("a task that is cancelled while it waits holds nobody up")
  func cancelled() async throws {
    let one = KeyedMutex<String>()
    let entered = Waiter<Void>()
    let leave = Waiter<Void>()
    try await withThrowingTaskGroup(of: Bool.self) { tasks in
      tasks.addTask {
        try await one.withLock("key") {
          _ = entered.give(())
          try await leave.value()
        }
        return true
      }
      try await entered.value()
      let waiting = Task { try await one.withLock("key") {} }
      waiting.cancel()
      let outcome = await waiting.result
      #expect(throws: CancellationError.self) { try outcome.get() }
      _ = leave.give(())
      #expect(try await tasks.next() == true)
    }
    try await one.withLock("key") {}
  }

  @Test("a change waits for those that are at it, and those that come meanwhile wait for the change")
  func readOrWrite() async throws {
    let (thing, order) = (ReadWriteLock(), Steps())
    let (using, done) = (Waiter<Void>(), Waiter<Void>())
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask {
        try await thing.read {
          _ = using.give(())
          try await done.value()
          order.add("first use")
        }
      }
      try await using.value()
      try await thing.read { order.add("use beside it") }
      tasks.addTask { try await thing.write(patience: .seconds(60)) { order.add("change") } }
      try await eventually { await thing.isWaitedFor }
      tasks.addTask { try await thing.read { order.add("later use") } }
      _ = done.give(())
      try await tasks.waitForAll()
    }
    #expect(order.all == ["use beside it", "first use", "change", "later use"])
  }

  @Test("a change does not wait for ever, and lets those behind it go on")
  func impatientChange() async throws {
    let thing = ReadWriteLock()
    let (using, done) = (Waiter<Void>(), Waiter<Void>())
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask {
        try await thing.read {
          _ = using.give(())
          try await done.value()
        }
      }
      try await using.value()
      await #expect(throws: ReadWriteLock.StillInUse.self) { try await thing.write(patience: .milliseconds(20)) {} }
      try await thing.read {}
      _ = done.give(())
      try await tasks.waitForAll()
    }
    try await thing.write(patience: .seconds(60)) {}
  }

  @Test("who is tired of waiting for a place goes on without one, and leaves the places as they are")
  func impatient() async throws {
    let (places, begun, done) = (Semaphore(1), Waiter<Void>(), Waiter<Void>())
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask {
        try await places.withPermit {
          _ = begun.give(())
          try await done.value()
        }
      }
      try await begun.value()
      try await places.withPermit(patience: .milliseconds(5)) {}
      _ = done.give(())
      try await tasks.waitForAll()
    }
    let order = Steps()
    try await places.withPermit {
      try await places.withPermit(patience: .milliseconds(5)) { order.add("without a place") }
      order.add("with the only one")
    }
    #expect(try await places.withPermit { try await places.withPermit(within: .milliseconds(5)) { order.add("never") } } == nil)
    try await places.withPermit(patience: .seconds(60)) { order.add("with it again") }
    #expect(order.all == ["without a place", "with the only one", "with it again"])
  }

  @Test("as many are let in as there is room for, all of a group or none")
  func headcount() {
    let room = Headcount(atMost: 3)
    #expect(room.enter(2) && !room.enter(2) && room.enter(1) && !room.enter(1))
    room.leave()
    #expect(room.enter(1) && !room.enter(1))
  }

  private final class Steps: Sendable {
    private let steps = Mutex<[String]>([])
    var all: [String] { steps.withLock { $0 } }
    func add(_ step: String) { steps.withLock { $0.append(step) } }
  }

  private func eventually(_ condition: () async -> Bool) async throws {
    while await !condition() { try await Task.sleep(for: .milliseconds(1)) }
  }

  @Test("a value is given once, and not to who has gone")
  func waiter() async throws {
    let waiter = Waiter<Int>()
    #expect(waiter.give(1))
    #expect(!waiter.give(2))
    #expect(try await waiter.value() == 1)
  }
}

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
    let (places, gauge) = (Places(3), Gauge())
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      for _ in 0..<50 { tasks.addTask { try await places.take { await gauge.pass() } } }
      try await tasks.waitForAll()
    }
    #expect((1...3).contains(await gauge.most))
  }

  @Test("what concerns one thing is done one after the other")
  func oneAtATime() async throws {
    let (one, gauge) = (OneAtATime<String>(), Gauge())
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      for _ in 0..<50 { tasks.addTask { try await one.run("key") { await gauge.pass() } } }
      try await tasks.waitForAll()
    }
    #expect(await gauge.most == 1)
  }

  @Test("a task that is cancelled while it waits holds nobody up")
  func cancelled() async throws {
    let one = OneAtATime<String>()
    let entered = Waiter<Void>()
    let leave = Waiter<Void>()
    try await withThrowingTaskGroup(of: Bool.self) { tasks in
      tasks.addTask {
        try await one.run("key") {
          _ = entered.give(())
          try await leave.value()
        }
        return true
      }
      try await entered.value()
      let waiting = Task { try await one.run("key") {} }
      waiting.cancel()
      let outcome = await waiting.result
      #expect(throws: CancellationError.self) { try outcome.get() }
      _ = leave.give(())
      #expect(try await tasks.next() == true)
    }
    try await one.run("key") {}
  }

  @Test("a value is given once, and not to who has gone")
  func waiter() async throws {
    let waiter = Waiter<Int>()
    #expect(waiter.give(1))
    #expect(!waiter.give(2))
    #expect(try await waiter.value() == 1)
  }
}

import Testing

@testable import ServiceRuntime

@Suite(.timeLimit(.minutes(1))) struct ActivityTests {
  let clock = TestClock()

  @Test("a process that has nothing to do is idle when the limit has passed")
  func nothing() async throws {
    let activity = Activity(clock: clock)
    async let idle: Void = activity.idle(for: .seconds(60))
    #expect(await clock.nextDeadline() == .seconds(60))
    clock.advance(by: .seconds(60))
    try await idle
  }

  @Test("the limit counts from the end of the last activity, to the second")
  func lastEnd() async throws {
    let activity = Activity(clock: clock)
    async let idle: Void = activity.idle(for: .seconds(60))
    #expect(await clock.nextDeadline() == .seconds(60))
    clock.advance(by: .seconds(50))
    activity.begin()
    clock.advance(by: .seconds(4))
    activity.end()
    clock.advance(by: .seconds(6))
    #expect(await clock.nextDeadline() == .seconds(114))
    clock.advance(by: .seconds(54))
    try await idle
  }

  @Test("while one of several activities is under way the process is not idle, however long it takes")
  func overlapping() async throws {
    let activity = Activity(clock: clock)
    async let idle: Void = activity.idle(for: .seconds(60))
    #expect(await clock.nextDeadline() == .seconds(60))
    activity.begin()
    activity.begin()
    clock.advance(by: .seconds(1_000))
    activity.end()
    clock.advance(by: .seconds(1_000))
    activity.end()
    #expect(await clock.nextDeadline() == .seconds(2_060))
    clock.advance(by: .seconds(60))
    try await idle
  }
}

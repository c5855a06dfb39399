import ACMEClientAPI
import PKI
import SchedulerAPI
import Synchronization
import Testing

@testable import Scheduler

@Suite("Failures that are nobody's fault, and those that are remembered")
struct OutageTests {
  private func state(_ request: RequestView, of device: DeviceID, in fleet: Fleet) async throws -> RequestState {
    try await fleet.resume(device, request: request.id, csrHash: nil, slot: nil).state
  }

  @Test("an outage of the CA is one event, holds back all orders, and is over for all with the first that succeeds")
  func outage() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      bench.client.set(.fail(Problem(.caUnavailable, "503 Service Unavailable.")))
      try await bench.working(fleet) {
        let first = try await fleet.device("1")
        let failed = try await fleet.submit(makeCSR("a.example.net"), of: first)
        _ = try await fleet.request(failed.id, of: first, in: .failed)
        let second = try await fleet.device("2")
        let held = try await fleet.submit(makeCSR("b.example.net"), of: second)
        #expect(held.state == .failed && held.failure?.error == "caUnavailable" && held.failure?.final == false)
        try await bench.advance(by: .seconds(10), at: fleet) { bench.client.state.withLock(\.issued.count) == 3 }
        #expect(try await fleet.eventCodes().filter { ["authorityFailed", "orderFailed"].contains($0) } == ["authorityFailed"])

        bench.client.set(.issue())
        try await bench.advance(by: .seconds(60), at: fleet) {
          let states = [try await state(failed, of: first, in: fleet), try await state(held, of: second, in: fleet)]
          return states == [.ready, .ready]
        }
        #expect(try await fleet.eventCodes().filter { $0 == "authorityRecovered" }.count == 1)
      }
    }
  }

  @Test("an outage outlives the process, and an administrator ends its pause")
  func persisted() async throws {
    try await onBench { bench in
      let first = try bench.fleet()
      bench.client.set(.fail(Problem(.caUnavailable, "503 Service Unavailable.")))
      let device = try await first.device("1")
      let failed = try await first.submit(makeCSR("a.example.net"), of: device)
      try await bench.working(first) { _ = try await first.request(failed.id, of: device, in: .failed) }

      bench.client.set(.issue())
      let second = try bench.fleet()
      let other = try await second.device("2")
      let held = try await second.submit(makeCSR("b.example.net"), of: other)
      try await bench.working(second) {
        #expect(try await state(held, of: other, in: second) == .failed)
        #expect(try await second.renew(.init(), force: false) == [failed.id])
        _ = try await second.request(held.id, of: other, in: .ready)
        _ = try await second.request(failed.id, of: device, in: .ready)
      }
    }
  }

  @Test("an outage stands in the status and in the plan, with its alarm and the moment of the next order")
  func shown() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let now = bench.clock.wallClock.now()
      #expect(try await fleet.status(startedAt: now).outage == nil)
      bench.client.set(.fail(Problem(.caUnavailable, "503 Service Unavailable.")))
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        let failed = try await fleet.submit(makeCSR("a.example.net"), of: device)
        _ = try await fleet.request(failed.id, of: device, in: .failed)
        let held = try await fleet.submit(makeCSR("b.example.net"), of: device, slot: "held")
        let status = try await fleet.status(startedAt: now)
        let retryAt = try #require(status.outage?.retryAt)
        #expect(status.outage?.error == "caUnavailable" && status.outage?.since == now && retryAt > now && status.alarms == 1)
        let plan = try await fleet.plan(.init(), inParts: false) { _ in }
        let turn = plan.turns.first { $0.slot == held.slot }
        #expect(turn?.at == retryAt && turn?.limit == "the CA, which cannot be used")
      }
    }
  }

  @Test("a clock that was ahead for a moment, while an order failed, holds nothing back when it is right again", arguments: [true, false])
  func clockAhead(isRestarted: Bool) async throws {
    try await onBench { bench in
      let first = try bench.fleet()
      let device = try await first.device("1")
      let csr = try makeCSR("b.example.net")
      bench.client.set(.fail(Problem(.caUnavailable, "503 Service Unavailable.")))
      let failed = try await bench.working(first) {
        bench.clock.advance(by: .days(400))
        let failed = try await first.submit(makeCSR("a.example.net"), of: device)
        _ = try await first.request(failed.id, of: device, in: .failed)
        bench.clock.advance(by: Duration.zero - .days(400))
        bench.client.set(.issue())
        guard !isRestarted else { return failed }
        // What a timer would do in a minute.
        first.board.wake()
        _ = try await first.request(failed.id, of: device, in: .ready)
        return failed
      }
      let second = try bench.fleet()
      try await second.sweep()
      try await bench.working(second) {
        let other = try await second.submit(csr, of: device, slot: "other")
        _ = try await second.request(other.id, of: device, in: .ready)
        _ = try await second.request(failed.id, of: device, in: .ready)
      }
    }
  }

  @Test("a new CSR for the same names does not end the pause after a failure; one for other names begins afresh")
  func remembered() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      bench.client.set(.fail(Problem(.nameUnreachable, "No.", name: dns("a.example.net"))))
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        let first = try await fleet.submit(makeCSR("a.example.net", "b.example.net"), of: device)
        let failed = try await fleet.request(first.id, of: device, in: .failed)
        let second = try await fleet.submit(makeCSR("b.example.net", "a.example.net"), of: device)
        #expect(second.state == .failed && second.id != first.id)
        #expect(second.failure?.retryAfter == failed.failure?.retryAfter && second.failure?.name == dns("a.example.net"))
        try await bench.advance(by: .seconds(10), at: fleet) { bench.client.calls(for: second.id.rawValue) == 1 }
        let third = try await fleet.request(second.id, of: device, in: .failed)
        #expect(third.failure?.retryAfter ?? 0 > 600, "the second pause is longer")
        #expect(try await fleet.submit(makeCSR("b.example.net"), of: device).state != .failed)
      }
    }
  }

  @Test("what a CA says is kept as one line that reorders nothing")
  func text() {
    #expect(AttemptFailure(Problem(.caUnavailable, "a\u{202E}b\u{9B}c\nd é")).text == "a b c d é")
  }

  @Test("the one name of many that is at fault is named")
  func named() {
    let problem = Problem(.challengeFailed, "It failed.", names: [NameProblem(name: dns("h37.example.net"), acmeType: nil, text: "404")])
    #expect(AttemptFailure(problem).name == dns("h37.example.net"))
  }
}

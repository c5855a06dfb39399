import ACMEClientAPI
import PKI
import SchedulerAPI
import Synchronization
import Testing

@testable import Scheduler

@Suite("Orders and the CA's limits")
struct LedgerServiceTests {
  private static let limited = [
    "ACME_CONNECTOR_AUTHORITY_DIRECTORY": "https://acme.test/directory", "ACME_CONNECTOR_LIMITS_APPLY": "true",
    "ACME_CONNECTOR_LIMITS_CERTIFICATES_PER_DOMAIN": "3",
  ]

  private func state(_ request: RequestView, of device: DeviceID, in fleet: Fleet) async throws -> RequestState {
    try await fleet.resume(device, request: request.id, csrHash: nil, slot: nil).state
  }

  @Test("what does not fit waits its turn and is told when that comes; after a restart, too")
  func turns() async throws {
    try await onBench { bench in
      let first = try bench.fleet(Self.limited)
      var requests: [(RequestView, DeviceID)] = []
      for number in 0..<5 {
        let device = try await first.device("\(number)")
        requests.append((try await first.submit(makeCSR("h\(number).example.net"), of: device), device))
      }
      let all = requests
      try await bench.working(first) {
        try await bench.settle(first)
        #expect(try await first.certificates(of: nil, all: true).map(\.state) == [.ready, .ready, .ready, .queued, .queued])
        let waiting = try await first.certificates(of: nil, all: true).dropFirst(3)
        #expect(waiting.map(\.dueAt) == [1, 2].map { bench.clock.wallClock.now() + .days(7) / 3 * $0 }, "each is told a turn of its own")
        #expect(waiting.first?.text == "It waits for the CA's limit on certificates for example.net.")
        #expect(try await first.resume(all[3].1, request: all[3].0.id, csrHash: nil, slot: nil).dueAt != nil)
      }
      let second = try bench.fleet(Self.limited)
      try await bench.working(second) {
        #expect(try await state(all[3].0, of: all[3].1, in: second) == .queued)
        try await bench.advance(by: .days(7) / 3 + .milliseconds(1), at: second)
        _ = try await second.request(all[3].0.id, of: all[3].1, in: .ready)
        #expect(try await state(all[4].0, of: all[4].1, in: second) == .queued)
      }
    }
  }

  @Test("a renewal of the same names is not held back by the limit of their domain, and one in the CA's window by none")
  func exempt() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet(Self.limited)
      let now = bench.clock.wallClock.now()
      bench.client.state.withLock {
        $0.renewalInfo = .success(.init(supported: true, start: now, end: now + .days(80), retryAfter: 86_400))
      }
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        for number in 0..<3 {
          let request = try await fleet.submit(makeCSR("h\(number).example.net"), of: device, slot: "\(number)")
          _ = try await fleet.request(request.id, of: device, in: .ready)
        }
        try await bench.settle(fleet)
        #expect(bench.client.state.withLock(\.inquiries.count) == 3)
        for _ in 0..<6 {
          let renewed = try #require(try await fleet.renew(.init(name: dns("h0.example.net")), force: true).first)
          _ = try await fleet.request(renewed, of: device, in: .ready)
          // From now on the window is known.
          try await bench.settle(fleet)
        }
      }
    }
  }

  @Test("what the CA says of its limits holds back the others, too, that would run into them")
  func corrected() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet(["ACME_CONNECTOR_AUTHORITY_DIRECTORY": "https://acme.test/directory", "ACME_CONNECTOR_LIMITS_APPLY": "true"])
      let text = #"too many certificates (50) already issued for "example.net" in the last 168h0m0s"#
      bench.client.set(.fail(Problem(.rateLimited, text, retryAfter: 3_600)))
      try await bench.working(fleet) {
        let first = try await fleet.device("1")
        let limited = try await fleet.submit(makeCSR("a.example.net"), of: first)
        _ = try await fleet.request(limited.id, of: first, in: .failed)
        bench.client.set(.issue())
        let second = try await fleet.device("2")
        let other = try await fleet.submit(makeCSR("b.example.net"), of: second)
        let elsewhere = try await fleet.submit(makeCSR("b.example.org"), of: second, slot: "elsewhere")
        _ = try await fleet.request(elsewhere.id, of: second, in: .ready)
        #expect(try await state(other, of: second, in: fleet) == .queued)
        #expect(bench.client.calls(for: other.id.rawValue) == 0)
      }
    }
  }

  @Test("the orders of a request that fails for good are shown, and charged, all of them")
  func failedForGood() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet(Self.limited)
      var problem = Problem(.badCsr, "The CA takes no such CSR.", final: true)
      problem.newOrders = 3
      bench.client.set(.fail(problem))
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        let request = try await fleet.submit(makeCSR("a.example.net"), of: device)
        _ = try await fleet.request(request.id, of: device, in: .failed)
        #expect(try await fleet.certificates(of: nil, all: true).map(\.newOrders) == [3])
        let limits = try #require(fleet.settings.current.limits)
        let book = try #require(fleet.settings.current.authority?.book)
        let ledger = try await fleet.store.read { try LedgerRecord.all(of: book, by: limits, at: bench.clock.wallClock.now(), from: $0) }
        #expect(ledger.buckets[.orders]?.fullAt == bench.clock.wallClock.now() + limits.ordersPerAccount.refill * 3)
      }
    }
  }

  @Test("a limit holds nothing back for longer than its own time, and not what an administrator insists on")
  func insisted() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet(["ACME_CONNECTOR_AUTHORITY_DIRECTORY": "https://acme.test/directory", "ACME_CONNECTOR_LIMITS_APPLY": "true"])
      let text = "too many new orders (300) from this account in the last 3h0m0s"
      bench.client.set(.fail(Problem(.rateLimited, text, retryAfter: 31_536_000)))
      try await bench.working(fleet) {
        let first = try await fleet.device("1")
        let limited = try await fleet.submit(makeCSR("a.example.net"), of: first)
        let failed = try await fleet.request(limited.id, of: first, in: .failed)
        #expect((10_800...14_400).contains(failed.failure?.retryAfter ?? 0))

        bench.client.set(.issue())
        let second = try await fleet.device("2")
        let other = try await fleet.submit(makeCSR("b.example.net"), of: second)
        try await bench.eventually { try await fleet.certificates(of: second, all: true).first?.dueAt != nil }
        let turn = try #require(try await fleet.certificates(of: second, all: true).first?.dueAt)
        #expect(turn <= bench.clock.wallClock.now() + .seconds(14_400))
        let refusal = await #expect(throws: Refusal.self) { try await fleet.renew(.init(request: other.id), force: false) }
        #expect(refusal?.text.contains("the CA's limit on orders of an account until \(turn); --force") == true)
        #expect(try await fleet.renew(.init(request: other.id), force: true) == [other.id])
        _ = try await fleet.request(other.id, of: second, in: .ready)
      }
    }
  }

  @Test("what waits for a limit is looked at anew when the limits are set anew")
  func limitsLifted() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet(["ACME_CONNECTOR_AUTHORITY_DIRECTORY": "https://acme.test/directory"])
      _ = try await fleet.change("limits.apply", to: "true")
      _ = try await fleet.change("limits.certificatesPerDomain", to: "1")
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        let first = try await fleet.submit(makeCSR("a.example.net"), of: device, slot: "a")
        _ = try await fleet.request(first.id, of: device, in: .ready)
        let second = try await fleet.submit(makeCSR("b.example.net"), of: device, slot: "b")
        try await bench.eventually {
          try await fleet.store.read { try RequestRecord.fetch(second.id, from: $0)?.waitUntil } != nil
        }
        _ = try await fleet.change("limits.apply", to: "false")
        _ = try await fleet.request(second.id, of: device, in: .ready)
      }
    }
  }

  @Test("the most urgent comes first: whose certificate ends first, before those who have none yet")
  func urgent() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      _ = try await fleet.change("orders.concurrent", to: "1")
      bench.client.set(.issue(days: 1))
      let old = try await fleet.device("old")
      let csr = try makeCSR("old.example.net")
      try await bench.working(fleet) { _ = try await fleet.request(fleet.submit(csr, of: old).id, of: old, in: .ready) }
      bench.clock.advance(by: .seconds(20 * 3_600))
      // What has ended works no more: another process takes over.
      let next = try bench.fleet()
      let new = try await next.device("new")
      let first = try await next.submit(makeCSR("new.example.net"), of: new)
      let urgent = try await next.submit(makeCSR("old.example.net"), of: old)
      try await bench.working(next) {
        _ = try await next.request(first.id, of: new, in: .ready)
        let order = bench.client.state.withLock(\.issued)
        #expect(order.firstIndex(of: urgent.id.rawValue) ?? 9 < order.firstIndex(of: first.id.rawValue) ?? 0)
      }
    }
  }
}

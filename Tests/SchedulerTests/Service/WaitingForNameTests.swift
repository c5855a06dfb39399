import ACMEClientAPI
import PKI
import SchedulerAPI
import Testing

@testable import Scheduler

@Suite("A name that cannot be answered for yet")
struct WaitingForNameTests {
  private static let limited = [
    "ACME_CONNECTOR_AUTHORITY_DIRECTORY": "https://acme.test/directory", "ACME_CONNECTOR_LIMITS_APPLY": "true",
    "ACME_CONNECTOR_LIMITS_ORDERS_PER_ACCOUNT": "1",
  ]
  private let notReady = Problem(.nameNotReady, "Reverse proxy rp is not connected.", name: dns("a.example.net"))

  @Test("costs no attempt and nothing of the CA's limits, is told with the name, and is looked at every five minutes until it can")
  func looked() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet(Self.limited)
      bench.client.set(.fail(notReady))
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        let request = try await fleet.submit(makeCSR("a.example.net"), of: device)
        let waiting = try await fleet.request(request.id, of: device, in: .waitingForName)
        #expect(waiting.name == dns("a.example.net") && waiting.dueAt == bench.clock.wallClock.now() + .seconds(300))
        #expect(try await fleet.certificates(of: nil, all: true).first?.text == notReady.text)
        #expect(try await fleet.alarms(of: device).map(\.code) == [.nameUnreachable])
        for look in 2...4 {
          bench.clock.advance(by: .seconds(300) + .milliseconds(1))
          try await bench.eventually { bench.client.calls(for: request.id.rawValue) == look }
          _ = try await fleet.request(request.id, of: device, in: .waitingForName)
        }
        let attempts = try await fleet.store.read { try AttemptRecord.of(request.id, from: $0) }
        #expect(attempts.isEmpty)
        #expect(try await fleet.eventCodes().filter { $0 == "orderFailed" }.isEmpty)

        bench.client.set(.issue())
        bench.clock.advance(by: .seconds(300) + .milliseconds(1))
        _ = try await fleet.request(request.id, of: device, in: .ready)
        #expect(try await fleet.alarms(of: device).isEmpty)
      }
    }
  }

  @Test("what was ordered before counts, though a name cannot be answered for when the next order is to be made")
  func spent() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet(Self.limited.merging(["ACME_CONNECTOR_LIMITS_ORDERS_PER_ACCOUNT": "9"]) { $1 })
      var problem = notReady
      problem.newOrders = 2
      bench.client.set(.fail(problem))
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        let request = try await fleet.submit(makeCSR("a.example.net"), of: device)
        _ = try await fleet.request(request.id, of: device, in: .waitingForName)
        let limits = try #require(fleet.settings.current.limits)
        let book = try #require(fleet.settings.current.authority?.book)
        let began = bench.clock.wallClock.now()
        func spent() async throws -> [LedgerAccount: Instant] {
          try await fleet.store.read { try LedgerRecord.all(of: book, by: limits, at: bench.clock.wallClock.now(), from: $0) }.buckets.mapValues(
            \.fullAt)
        }
        let twoOrders = [LedgerAccount.orders: began + limits.ordersPerAccount.refill * 2]
        #expect(try await spent() == twoOrders)
        try await bench.advance(by: .seconds(300) + .milliseconds(1), at: fleet)
        #expect(bench.client.calls(for: request.id.rawValue) == 2)
        #expect(try await spent() == twoOrders, "the second look cost nothing")
        #expect(try await fleet.certificates(of: nil, all: true).map(\.newOrders) == [2])
      }
    }
  }

  @Test("is looked at when a reverse proxy of the same scope comes, or its own device, and when no other does")
  func event() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      bench.client.set(.fail(notReady))
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        let request = try await fleet.submit(makeCSR("a.example.net"), of: device)
        _ = try await fleet.request(request.id, of: device, in: .waitingForName)

        let stranger = try await fleet.register(
          DeviceIdentity(scope: "domain:other", hardwareID: "rp"),
          description: DeviceDescription(roles: ["reverseProxy"], dnsNames: [], certificates: []))
        for other in [stranger, try await fleet.device("2")] { try await fleet.lookAgain(at: other) }
        #expect(try await fleet.resume(device, request: request.id, csrHash: nil, slot: nil).state == .waitingForName)

        try await fleet.lookAgain(at: device)
        try await bench.eventually { bench.client.calls(for: request.id.rawValue) == 2 }
        _ = try await fleet.request(request.id, of: device, in: .waitingForName)

        bench.client.set(.issue())
        let proxy = try await fleet.register(
          DeviceIdentity(scope: "instance", hardwareID: "rp"), description: DeviceDescription(roles: ["reverseProxy"], dnsNames: [], certificates: [])
        )
        try await fleet.lookAgain(at: proxy)
        _ = try await fleet.request(request.id, of: device, in: .ready)
        #expect(bench.client.calls(for: request.id.rawValue) == 3)
      }
    }
  }

  @Test("waits on after a restart, and is ordered at once when an administrator says so")
  func restarted() async throws {
    try await onBench { bench in
      bench.client.set(.fail(notReady))
      let first = try bench.fleet()
      let device = try await first.device("1")
      let request = try await first.submit(makeCSR("a.example.net"), of: device)
      try await bench.working(first) { _ = try await first.request(request.id, of: device, in: .waitingForName) }

      let second = try bench.fleet()
      #expect(try await second.resume(device, request: request.id, csrHash: nil, slot: nil).state == .waitingForName)
      bench.client.set(.issue())
      try await bench.working(second) {
        _ = try await second.renew(.init(device: device), force: false)
        _ = try await second.request(request.id, of: device, in: .ready)
      }
    }
  }
}

import ACMEClientAPI
import GRDB
import PKI
import SchedulerAPI
import Testing

@testable import Scheduler

@Suite("Turns at a limit of the CA")
struct TurnTests {
  private static let refill = Duration.days(7) / 3
  private static let limited = [
    "ACME_CONNECTOR_AUTHORITY_DIRECTORY": "https://acme.test/directory", "ACME_CONNECTOR_LIMITS_APPLY": "true",
    "ACME_CONNECTOR_LIMITS_CERTIFICATES_PER_DOMAIN": "3",
  ]

  /// Requests for names of one domain, the first with number 1; each later one is needed a day earlier than the one before.
  private func submitted(_ count: Int, to fleet: Fleet, at now: Instant) async throws -> [DeviceID] {
    var devices: [DeviceID] = []
    for number in 1...count {
      let device = try await fleet.device("\(number)")
      let request = try await fleet.submit(makeCSR("h\(number).example.net"), of: device)
      try await fleet.store.write { database in
        try database.execute(
          sql: "UPDATE request SET neededBy = ? WHERE id = ?", arguments: [(now + .days(100 - number)).milliseconds, request.id.rawValue])
      }
      devices.append(device)
    }
    return devices
  }

  /// Until when the requests with these numbers wait; those that do not are left out.
  private func turns(_ fleet: Fleet) async throws -> [Int: Instant] {
    let waiting = try await fleet.certificates(of: nil, all: true).filter { $0.state == .queued }
    return Dictionary(waiting.compactMap { view in view.dueAt.map { (view.number, $0) } }, uniquingKeysWith: { first, _ in first })
  }

  @Test("are found anew by the limits of the next process, if these are others")
  func otherLimits() async throws {
    try await onBench { bench in
      let (first, now) = (try bench.fleet(Self.limited), bench.clock.wallClock.now())
      _ = try await submitted(7, to: first, at: now)
      try await bench.working(first) {
        try await bench.settle(first)
        #expect(try await turns(first).values.max() == now + Self.refill * 4)
      }
      let second = try bench.fleet(Self.limited.merging(["ACME_CONNECTOR_LIMITS_CERTIFICATES_PER_DOMAIN": "50"]) { $1 })
      try await bench.working(second) {
        try await bench.settle(second)
        // What is spent by the old limit grows back at the pace of the new one.
        let last = try #require(try await turns(second).values.max())
        #expect(last > now && last < now + Self.refill)
      }
    }
  }

  @Test("are told as the plan says: in one order, the most urgent first")
  func told() async throws {
    try await onBench { bench in
      let (fleet, now) = (try bench.fleet(Self.limited), bench.clock.wallClock.now())
      _ = try await submitted(7, to: fleet, at: now)
      #expect(try await fleet.plan().turns.map(\.number) == [7, 6, 5, 4, 3, 2, 1])
      try await bench.working(fleet) {
        try await bench.settle(fleet)
        let told = try await turns(fleet)
        #expect(told == [4: now + Self.refill, 3: now + Self.refill * 2, 2: now + Self.refill * 3, 1: now + Self.refill * 4])
        let planned = try await fleet.plan().turns.filter { $0.number <= 4 }.map { (Int($0.number), $0.at) }
        #expect(Dictionary(planned, uniquingKeysWith: { first, _ in first }) == told)
      }
    }
  }

  @Test("that have come are all that is looked at: those behind are not written anew")
  func lookedAt() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet(Self.limited)
      _ = try await submitted(7, to: fleet, at: bench.clock.wallClock.now())
      try await bench.working(fleet) {
        try await bench.settle(fleet)
        try await fleet.store.write { database in
          try database.execute(
            sql: """
              CREATE TEMP TABLE written (number INTEGER);
              CREATE TEMP TRIGGER writing AFTER UPDATE ON request BEGIN INSERT INTO written VALUES (new.number); END;
              """)
        }
        try await bench.advance(by: Self.refill, at: fleet)
        try await bench.eventually { try await fleet.certificates(of: nil, all: true).filter { $0.state == .ready }.count == 4 }
        #expect(try await fleet.store.write { try Int.fetchSet($0, sql: "SELECT number FROM temp.written") } == [4])
      }
    }
  }

  @Test("of others come later for one that is more urgent, and earlier when one ahead is gone: no room is left unused")
  func moved() async throws {
    try await onBench { bench in
      let (fleet, now) = (try bench.fleet(Self.limited), bench.clock.wallClock.now())
      let devices = try await submitted(6, to: fleet, at: now)
      try await bench.working(fleet) {
        try await bench.settle(fleet)
        #expect(try await turns(fleet) == [3: now + Self.refill, 2: now + Self.refill * 2, 1: now + Self.refill * 3])
        let urgent = try await fleet.device("urgent")
        let request = try await fleet.submit(makeCSR("urgent.example.net"), of: urgent)
        try await bench.settle(fleet)
        #expect(try await turns(fleet)[7] == now + Self.refill)
        try await bench.advance(by: Self.refill, at: fleet)
        _ = try await fleet.request(request.id, of: urgent, in: .ready)
        try await bench.settle(fleet)
        #expect(try await turns(fleet)[3] == now + Self.refill * 2)

        _ = try await fleet.retire(devices[2])
        #expect(try await turns(fleet)[2] == now + Self.refill * 2)
        try await bench.advance(by: Self.refill, at: fleet)
        try await bench.eventually { try await fleet.certificates(of: devices[1], all: true).first?.state == .ready }
        try await bench.settle(fleet)
        #expect(try await turns(fleet) == [1: now + Self.refill * 3])
      }
    }
  }

  @Test("are not waited for where a certificate has become as good as over: what is kept for emergencies is for it")
  func emergency() async throws {
    try await onBench { bench in
      var variables = Self.limited
      variables["ACME_CONNECTOR_LIMITS_CERTIFICATES_PER_DOMAIN"] = "5"
      let fleet = try bench.fleet(variables)
      try await bench.working(fleet) {
        var devices: [Enrolled] = []
        for number in 1...3 { devices.append(try await fleet.enrolled("\(number)", makeCSR("h\(number).example.net"))) }
        let more = try await fleet.submit(makeCSR("h1.example.net", "more.example.net"), of: devices[0].device)
        try await bench.settle(fleet)
        #expect(try await turns(fleet).count == 1)
        _ = try await fleet.begin(.init(reason: .revoked, device: devices[0].device))
        _ = try await fleet.request(more.id, of: devices[0].device, in: .ready)
      }
    }
  }

  @Test("are given to each of those that insist, too, and the plan says the same")
  func forced() async throws {
    try await onBench { bench in
      let (fleet, now) = (try bench.fleet(Self.limited), bench.clock.wallClock.now())
      _ = try await submitted(6, to: fleet, at: now)
      try await bench.working(fleet) {
        try await bench.settle(fleet)
        try await fleet.store.write {
          try $0.execute(sql: "UPDATE request SET isForced = 1, waitUntil = NULL, waitFor = NULL WHERE state = 'queued'")
        }
        try await bench.settle(fleet)
        let told = try await turns(fleet)
        #expect(told == [3: now + Self.refill, 2: now + Self.refill * 2, 1: now + Self.refill * 3])
        let planned = try await fleet.plan().turns.filter { $0.number <= 3 }.map { (Int($0.number), $0.at) }
        #expect(Dictionary(planned, uniquingKeysWith: { first, _ in first }) == told)
      }
    }
  }

  @Test("that a clock which was wrong put years ahead are looked at anew, and those that are far behind in a long queue are not")
  func wrongClock() async throws {
    try await onBench { bench in
      let (fleet, now) = (try bench.fleet(Self.limited), bench.clock.wallClock.now())
      _ = try await submitted(12, to: fleet, at: now)
      try await bench.working(fleet) {
        try await bench.settle(fleet)
        let told = try await turns(fleet)
        #expect(told[1] == now + Self.refill * 9)
        try await fleet.store.write { database in
          try database.execute(sql: "UPDATE request SET waitUntil = waitUntil + ? WHERE waitUntil IS NOT NULL", arguments: [400 * 86_400_000])
        }
        try await bench.settle(fleet)
        #expect(try await turns(fleet) == told)
      }
    }
  }
}

extension FleetPlan.Turn {
  /// The number of the request whose turn it is.
  fileprivate var number: Int64 { if case .request(let number) = request { number } else { 0 } }
}

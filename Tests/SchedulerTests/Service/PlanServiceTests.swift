import ACMEClientAPI
import GRDB
import PKI
import SchedulerAPI
import Synchronization
import Testing

@testable import Scheduler

@Suite("The plan of a fleet")
struct PlanServiceTests {
  @Test("says when each certificate's turn comes, and with another lifetime what would go wrong")
  func plan() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        let names = (0..<30).map { dns("h\($0).example.net") }
        let request = try await fleet.submit(SigningKey(.p256).signingRequest(for: names), of: device)
        let ready = try #require(try await fleet.request(request.id, of: device, in: .ready).certificate)
        try await fleet.confirm(ready.fingerprint, for: request.id, of: device)
        try await bench.advance(by: .days(10), at: fleet)
        let plan = try await fleet.plan()
        #expect(plan.turns.map(\.at) == [ready.notAfter - .days(30)] && plan.turns.first?.end == ready.notAfter)
        #expect(plan.days.map(\.orders) == [1] && plan.warnings.isEmpty)

        let rehearsal = try await fleet.plan(lifetime: .seconds(160 * 3_600))
        #expect(rehearsal.warnings.contains { $0.contains("last here 10 days ago") })
        #expect(rehearsal.warnings.contains { $0.contains("has 30 names") })
        #expect(try await fleet.plan(lifetime: .days(45)).turns.map(\.at) == [ready.notBefore + .days(30)])
      }
    }
  }

  @Test("shows what gets no turn, and why: what has failed for good, and what waits for an approval")
  func obstacles() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      bench.client.set(.fail(Problem(.badCsr, "The CA takes no such key.", final: true)), for: dns("bad.example.net"))
      try await bench.working(fleet) {
        _ = try await fleet.submit(makeCSR("bad.example.net"), of: fleet.device("1"))
        _ = try await fleet.installed(makeCSR("mine.example.net"), of: fleet.device("2"))
        _ = try await fleet.submit(makeCSR("mine.example.net"), of: fleet.device("3"))
        try await bench.eventually { try await fleet.plan().turns.count == 1 }
        let warnings = try await fleet.plan().warnings
        #expect(warnings.count == 2)
        #expect(warnings.contains { $0.contains("bad.example.net of the device 1") && $0.contains("The CA takes no such key.") })
        #expect(warnings.contains { $0.contains("the device 3") && $0.contains("names approve") })
      }
    }
  }

  @Test("rehearses another lifetime as the fleet would be then: nothing is piled on today, and what would have ended is told")
  func steady() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        var ends: [Instant] = []
        for number in 1...3 {
          let ready = try await fleet.installed(makeCSR("h\(number).example.net"), of: fleet.device("\(number)")).certificate
          ends.append(ready.notBefore + .days(45))
          try await bench.advance(by: .days(1), at: fleet)
        }
        try await bench.advance(by: .days(43), at: fleet)
        let now = bench.clock.wallClock.now()
        let plan = try await fleet.plan(lifetime: .days(45))
        #expect(plan.turns.map(\.at) == ends.map { $0 + .days(15) }, "the second renewal, each 30 days after the one before")
        #expect(plan.turns.map(\.end) == ends.map { $0 + .days(30) })
        #expect(plan.turns.map(\.ended) == ends.map { $0 <= now ? $0 : nil } && plan.turns.last?.ended == nil)
        #expect(plan.warnings.first?.hasPrefix("2 of the present certificates would have ended by now") == true)
      }
    }
  }

  @Test("rehearses another CA also where the present one is fixed by the environment, and changes nothing")
  func fixedAuthority() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        _ = try await fleet.installed(makeCSR("a.example.net"), of: fleet.device("1"))
        let plan = try await fleet.plan(authority: "https://other.test/directory")
        #expect(plan.change?.staying == 1)
        #expect(fleet.settings.current.authority?.directory == "https://acme.test/directory")
        #expect(try fleet.settings.view(of: "authority.directory").source == .environment)
        await #expect(throws: Refusal.self) { try await fleet.plan(authority: "no URL") }
      }
    }
  }

  @Test("comes in parts where it is longer than a message: with more one after the other, without it the next from where the last ended")
  func parts() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) { _ = try await fleet.installed(makeCSR("a.example.net"), of: fleet.device("1")) }
      try await fleet.store.write { try multiply(to: 450, in: $0) }
      let parts = Mutex<[AdminMethods.Plan.Reply]>([])
      let last = try await fleet.plan(.init(limit: 420), inParts: true) { part in parts.withLock { $0.append(part) } }
      let all = parts.withLock(\.self) + [last]
      #expect(all.flatMap { $0.turns.map(\.number) } == Array(1...420) && last.next == nil)
      #expect(Set(all.flatMap { $0.turns.map(\.device) }).count == 420)
      #expect(all.allSatisfy { $0.total == 450 } && all.map(\.days.isEmpty) == [false, true, true])

      let first = try await fleet.plan(.init(limit: 420), inParts: false) { _ in }
      #expect(first.turns.count == 200 && first.next == 200)
      let second = try await fleet.plan(.init(limit: 420, after: 400), inParts: false) { _ in }
      #expect(second.turns.map(\.number) == Array(401...420) && second.next == nil && second.days.isEmpty)
    }
  }

  /// The one device with its certificate, so many times.
  private func multiply(to count: Int, in database: Database) throws {
    let tables = ["device": "id", "request": "id", "certificate": "request", "renewal": "request"]
    for table in tables.keys { try database.execute(sql: "CREATE TEMP TABLE one_\(table) AS SELECT * FROM \(table)") }
    try database.execute(sql: "UPDATE one_request SET isHeldByClient = 0")
    for number in 2...count {
      for (table, id) in tables { try database.execute(sql: "UPDATE one_\(table) SET \(id) = ?", arguments: ["copy \(number)"]) }
      try database.execute(sql: "UPDATE one_device SET key = id")
      try database.execute(sql: "UPDATE one_request SET number = ?, device = id", arguments: [number])
      try database.execute(sql: "UPDATE one_renewal SET device = request")
      for table in ["device", "request", "certificate", "renewal"] { try database.execute(sql: "INSERT INTO \(table) SELECT * FROM one_\(table)") }
    }
  }
}

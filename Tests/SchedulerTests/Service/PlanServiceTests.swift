import PKI
import SchedulerAPI
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
        let plan = try await fleet.plan(lifetime: nil, limit: 10)
        #expect(plan.turns.map(\.at) == [ready.notAfter - .days(30)] && plan.turns.first?.end == ready.notAfter)
        #expect(plan.days.map(\.orders) == [1] && plan.warnings.isEmpty)

        let rehearsal = try await fleet.plan(lifetime: .seconds(160 * 3_600), limit: 10)
        #expect(rehearsal.warnings.contains { $0.contains("last here 10 days ago") })
        #expect(rehearsal.warnings.contains { $0.contains("has 30 names") })
        #expect(try await fleet.plan(lifetime: .days(45), limit: 10).turns.map(\.at) == [ready.notBefore + .days(30)])
      }
    }
  }
}

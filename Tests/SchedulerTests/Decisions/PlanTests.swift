import PKI
import SchedulerAPI
import Testing

@testable import Scheduler

@Suite("The plan")
struct PlanTests {
  private let now = Instant(milliseconds: 1_790_000_000_000)

  private func slot(_ name: String, _ exemption: LedgerExemption = .none, in days: Int = 0, end: Int? = nil) -> Plan.Slot {
    Plan.Slot(
      device: DeviceID(rawValue: name), slot: "default", names: [dns(name)], wantedAt: now + .days(days), end: end.map { now + .days($0) },
      exemption: exemption)
  }

  private func plan(_ slots: [Plan.Slot], limits: AuthorityLimits? = AuthorityLimits()) -> Plan {
    Plan(slots, ledger: Ledger([:]), limits: limits, suffixes: .empty, at: now)
  }

  @Test("500 new devices under one domain take two months, and the limit that decides is named")
  func onboarding() {
    let plan = plan((0..<500).map { slot("h\($0).example.com") })
    #expect(plan.turns.prefix(45).allSatisfy { $0.at == now && $0.limit == nil }, "all but those kept for emergencies")
    #expect(plan.turns[45].limit == .domain(dns("example.com")))
    let days = (plan.turns[499].at - now).components.seconds / 86_400
    #expect((60...64).contains(days))
    #expect(plan.load.map(\.count).reduce(0, +) == 500)
  }

  @Test("renewals do not wait behind them")
  func renewals() {
    let plan = plan(
      (0..<100).map { slot("h\($0).example.com") } + [slot("old.example.com", .renewal, in: 1), slot("ari.example.com", .renewalInWindow)])
    #expect(plan.turns.first { $0.slot.names == [dns("old.example.com")] }?.at == now + .days(1))
    #expect(plan.turns.first { $0.slot.names == [dns("ari.example.com")] }?.at == now)
  }

  @Test("what is due waits for a CA that can not be used until that is tried again, and what comes due later does not")
  func held() {
    let slots = [slot("due.example.com"), slot("later.example.com", in: 1)]
    let plan = Plan(slots, ledger: Ledger([:]), limits: nil, heldUntil: now + .seconds(600), suffixes: .empty, at: now)
    #expect(plan.turns.map(\.at) == [now + .seconds(600), now + .days(1)] && plan.turns.map(\.isHeld) == [true, false])
  }

  @Test("where there are no limits nothing waits")
  func unlimited() {
    #expect(plan((0..<500).map { slot("h\($0).example.com") }, limits: nil).turns.allSatisfy { $0.at == now })
  }

  @Test("a turn that comes after the end of the certificate is seen")
  func late() {
    let plan = plan((0..<100).map { slot("h\($0).example.com") } + [slot("late.example.com", in: 1, end: 2)])
    #expect(plan.turns.filter(\.isLate).map(\.slot.names) == [[dns("late.example.com")]])
  }
}

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
      exemption: exemption,
      urgency: Urgency(neededBy: end.map { now + .days($0) } ?? now + .days(1), number: 0))
  }

  private func plan(_ slots: [Plan.Slot], limits: AuthorityLimits? = AuthorityLimits()) -> Plan {
    Plan(slots, ledger: Ledger([:]), limits: limits, suffixes: .empty, at: now)
  }

  private func forecast() -> TurnForecast {
    TurnForecast(ledger: Ledger([:]), limits: AuthorityLimits(), suffixes: .empty, at: now)
  }

  @Test("500 new devices under one domain take two months, and the limit that decides is named")
  func onboarding() {
    let plan = plan((0..<500).map { slot("h\($0).example.com") })
    #expect(plan.turns.prefix(45).allSatisfy { $0.at == now && $0.limit == nil }, "all but those kept for emergencies")
    #expect(plan.turns[45].limit == .domain(dns("example.com")))
    let days = (plan.turns[499].at - now).components.seconds / 86_400
    #expect((60...64).contains(days))
  }

  @Test("renewals do not wait behind them")
  func renewals() {
    let plan = plan(
      (0..<100).map { slot("h\($0).example.com") } + [slot("old.example.com", .renewal, in: 1), slot("ari.example.com", .renewalInWindow)])
    #expect(plan.turns.first { $0.slot.names == [dns("old.example.com")] }?.at == now + .days(1))
    #expect(plan.turns.first { $0.slot.names == [dns("ari.example.com")] }?.at == now)
  }

  @Test("what waits for its own limit holds nobody else back: it spends nothing of the others before its turn")
  func apart() {
    var limits = AuthorityLimits()
    limits.ordersPerAccount = RateLimit(count: 20, period: .seconds(3 * 3_600))
    let slots = (0..<200).map { slot("h\($0).alpha.com", end: 30) } + (0..<5).map { slot("h\($0).beta.com", end: 60) }
    // All of alpha's are spent, as if 50 had been ordered now.
    var ledger = Ledger([.domain(dns("alpha.com")): TokenBucket(limits.certificatesPerDomain)])
    for _ in 0..<50 { ledger.spend([.domain(dns("alpha.com"))], at: now) }
    let plan = Plan(slots, ledger: ledger, limits: limits, suffixes: .empty, at: now)
    let (alpha, beta) = (plan.turns.filter { $0.slot.end == now + .days(30) }, plan.turns.filter { $0.slot.end == now + .days(60) })
    #expect(beta.count == 5 && beta.allSatisfy { $0.at == now && $0.limit == nil })
    // A tenth of 50 is kept, and each grows back alone.
    let refill = limits.certificatesPerDomain.refill
    #expect(alpha.map(\.at) == (6..<206).map { now + refill * $0 } && alpha.allSatisfy { $0.limit == .domain(dns("alpha.com")) })
    let later = Plan(slots + [slot("new.beta.com", in: 3)], ledger: ledger, limits: limits, suffixes: .empty, at: now)
    #expect(later.turns.first { $0.slot.names == [dns("new.beta.com")] }?.at == now + .days(3))
  }

  @Test("of those that wait for a limit the most urgent comes first, also when it has come later")
  func overtaking() {
    let plan = plan((0..<60).map { slot("h\($0).example.com", end: 40) } + [slot("soon.example.com", in: 1, end: 20)])
    let waiting = plan.turns.filter { $0.limit != nil && $0.at > now + .days(1) }
    #expect(waiting.first?.slot.names == [dns("soon.example.com")])
  }

  @Test("certificates for names of several domains wait until there is room in all, and those of one only are not kept waiting by them")
  func manyDomains() {
    func slots(_ names: [String], _ count: Int) -> [Plan.Slot] {
      (0..<count).map { number in
        let names = names.map { dns("\($0)\(number).\($0).com") }
        return Plan.Slot(
          device: DeviceID(rawValue: "\(names)"), slot: "default", names: names, wantedAt: now, end: nil, exemption: .none,
          urgency: Urgency(neededBy: now + .days(names.count > 1 ? 1 : 2), number: Int64(number)))
      }
    }
    let limits = AuthorityLimits()
    let full = TokenBucket(limits.certificatesPerDomain, fullAt: now + .days(14))
    let plan = Plan(
      slots(["a", "b"], 50) + slots(["a"], 40), ledger: Ledger([.domain(dns("b.com")): full]), limits: limits, suffixes: .empty, at: now)
    #expect(plan.turns.filter { $0.slot.names.count == 1 }.allSatisfy { $0.at == now })
    #expect(plan.turns.filter { $0.slot.names.count == 2 }.allSatisfy { $0.at > now + .days(7) && $0.limit == .domain(dns("b.com")) })
  }

  @Test("emergencies wait for each other only, each with a turn of its own, and so does what becomes one while it waits")
  func emergencies() {
    var slots = (0..<120).map { slot("h\($0).example.com") }
    for number in 100..<120 { slots[number].emergencyFrom = number == 119 ? now + .days(1) : .earliest }
    let turns = plan(slots).turns
    func moments(_ numbers: Range<Int>) -> [Instant] {
      let names = Set(numbers.map { dns("h\($0).example.com") })
      return turns.filter { !names.isDisjoint(with: $0.slot.names) }.map(\.at)
    }
    let refill = AuthorityLimits().certificatesPerDomain.refill
    // 45 of the others have had their turn before them, and five are left.
    #expect(moments(100..<119) == (0..<19).map { now + refill * max(0, $0 - 4) })
    #expect(moments(119..<120) == [now + refill * 15])
    #expect(moments(0..<100).filter { $0 > now }.allSatisfy { $0 > now + refill * 15 })
  }

  @Test("very many are forecast in little time, be it under one domain, or under so many that the account's limit decides, too", arguments: [1, 400])
  func many(domains: Int) {
    let slots = (0..<20_000).map { slot("h\($0).d\($0 % domains).com") }
    let took = ContinuousClock().measure { #expect(plan(slots).turns.count == slots.count) }
    #expect(took < .seconds(60))
  }

  @Test("what is due waits for a CA that cannot be used until that is tried again, and what comes due later does not")
  func held() {
    var forecast = TurnForecast(ledger: Ledger([:]), limits: nil, heldUntil: now + .seconds(600), suffixes: .empty, at: now)
    let turns = forecast.turns(of: [slot("a.example.com"), slot("b.example.com", in: 1)]) { $0.names }.map(\.turn)
    #expect(turns.map(\.at) == [now + .seconds(600), now + .days(1)] && turns.map(\.isHeld) == [true, false])
  }

  @Test("a forecast knows of no more limits than are spent at the moment it has come to, and forgets none that holds anything back")
  func forgets() {
    func slot(_ name: String, _ number: Int) -> Plan.Slot {
      Plan.Slot(
        device: DeviceID(rawValue: "\(name) \(number)"), slot: "default", names: [dns(name)], wantedAt: now + .seconds(60) * number, end: nil,
        exemption: .renewal, urgency: Urgency(neededBy: now, number: Int64(number)))
    }
    let again = (0..<5).map { slot("again.example.com", $0 * 1_000) }
    let others = (0..<5_000).map { slot("h\($0).example.com", $0) }
    var (forecast, alone) = (self.forecast(), self.forecast())
    let turns = forecast.turns(of: others + again) { $0.names }.filter { $0.order.names == [dns("again.example.com")] }.map(\.turn)
    #expect(turns == alone.turns(of: again) { $0.names }.map(\.turn) && turns.last?.limit != nil)
    #expect(forecast.accountCount < 4_500)
  }

  @Test("where there are no limits nothing waits")
  func unlimited() {
    #expect(plan((0..<500).map { slot("h\($0).example.com") }, limits: nil).turns.allSatisfy { $0.at == now })
  }

  @Test("of those that are wanted at the same moment the one that is needed first comes first, and then the one that asked first")
  func ties() {
    let order = [(name: "c", needed: 3, number: 1), ("b", 2, 9), ("a", 2, 8), ("z", 1, 10)]
    let slots = order.map { name, needed, number in
      Plan.Slot(
        device: DeviceID(rawValue: name), slot: "default", names: [dns("\(name).example.com")], wantedAt: now, end: nil, exemption: .none,
        urgency: Urgency(neededBy: now + .days(needed), number: Int64(number)))
    }
    #expect(plan(slots).turns.map(\.slot.device.rawValue) == ["z", "a", "b", "c"])
  }

  @Test("a campaign is told what comes too late, and for what: the deadline, or the certificate, unless that has ended already")
  func warnings() {
    func warnings(_ slots: [Plan.Slot], deadline: Int? = nil) -> [String] {
      CampaignForecast(plan(slots).turns, deadline: deadline.map { now + .days($0) }, at: now).warnings
    }
    let many = (0..<50).map { slot("h\($0).example.com", end: 30) }
    #expect(warnings(many).isEmpty && warnings(many, deadline: 7).isEmpty)
    let late = warnings(many, deadline: 0)
    #expect(late.count == 1 && late[0].hasPrefix("5 of 50 certificates get their turn after the deadline \(now), the last one "))
    #expect(late[0].hasSuffix(": the CA's limit on certificates for example.com decides."))
    #expect(warnings([slot("a.example.com", end: -1)], deadline: 1) == ["1 of 1 certificates have ended already."])
    let ending = warnings((0..<46).map { slot("h\($0).example.com", end: $0 == 45 ? 0 : -1) })
    #expect(ending == ["46 of 46 certificates have ended already."])
    let tooLate = warnings((0..<60).map { slot("h\($0).example.com", end: 30) } + [slot("last.example.com", in: 1, end: 1)])
    #expect(tooLate.count == 1 && tooLate[0].hasPrefix("1 of 61 certificates get their turn after the end of the certificate, the last one "))
  }

  @Test("another lifetime is rehearsed as if it had always been: renewals are spread as they are, and what would have ended is known")
  func rehearsed() {
    let rule = RenewalRule()
    let certificates = (0..<90).map { age in
      RehearsedCertificate(
        Validity(notBefore: now - .days(age), notAfter: now + .days(90 - age)), issuedAt: now - .days(age), lifetime: .days(45), by: rule, at: now)
    }
    let perDay = Dictionary(grouping: certificates) { ($0.dueAt - now).components.seconds / 86_400 }
    #expect(perDay.count == 30 && perDay.values.allSatisfy { $0.count == 3 })
    #expect(certificates.allSatisfy { $0.dueAt > now && $0.validity.notAfter == $0.dueAt + .days(15) })
    #expect(certificates.count { $0.endedAt != nil } == 45)
  }

  @Test("a turn that comes after the end of the certificate is seen")
  func late() {
    let plan = plan((0..<100).map { slot("h\($0).example.com") } + [slot("late.example.com", in: 1, end: 2)])
    #expect(plan.turns.filter(\.isLate).map(\.slot.names) == [[dns("late.example.com")]])
  }
}

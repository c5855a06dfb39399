import PKI
import Testing

@testable import Scheduler

@Suite("The ledger of the CA's limits")
struct LedgerTests {
  private let now = Instant(milliseconds: 1_790_000_000_000)
  private let limits = AuthorityLimits()
  private let names = [dns("a.example.com"), dns("b.example.com"), dns("c.example.net")]

  private func charges(_ exemption: LedgerExemption) -> [LedgerAccount] { Ledger.charges(names, exemption, suffixes: .empty) }

  private func ledger(_ accounts: [LedgerAccount]) -> Ledger {
    Ledger(Dictionary(uniqueKeysWithValues: accounts.map { ($0, TokenBucket(limits.of($0))) }))
  }

  @Test("what is spent of a limit grows back evenly", arguments: [(300, 10_800), (50, 604_800), (5, 604_800), (5, 3_600)])
  func bucket(count: Int, seconds: Int) {
    let limit = RateLimit(count: count, period: .seconds(seconds))
    var bucket = TokenBucket(limit)
    for _ in 0..<count {
      #expect(bucket.readyAt() <= now)
      bucket.spend(at: now)
    }
    #expect(bucket.readyAt() == now + limit.refill)
    bucket.giveBack()
    #expect(bucket.readyAt() <= now)
  }

  @Test("an order is charged to the account, each registered domain once, and the set of its names; in whatever order they stand")
  func charged() {
    let all = charges(.none)
    #expect(Set(all) == [.orders, .set(.init(names.reversed())), .domain(dns("example.com")), .domain(dns("example.net"))] && all.count == 4)
  }

  @Test("a renewal of the same names counts for their set only, one inside the CA's window for nothing")
  func exempt() {
    #expect(charges(.renewal) == [.set(.init(names))])
    #expect(charges(.renewalInWindow) == [])
  }

  @Test("two of the five certificates a week for the same names, and a tenth of the rest, are kept for emergencies")
  func reserve() {
    let set = LedgerAccount.set(.init(names))
    var ledger = ledger([set])
    for _ in 0..<3 {
      #expect(ledger.wait(for: [set], names: names, isEmergency: false, at: now) == nil)
      ledger.spend([set], at: now)
    }
    let wait = ledger.wait(for: [set], names: names, isEmergency: false, at: now)
    #expect(wait?.account == set && wait?.until == now + .days(7) / 5)
    #expect(ledger.wait(for: [set], names: names, isEmergency: true, at: now) == nil)
    ledger.spend([set, set], at: now)
    #expect(ledger.wait(for: [set], names: names, isEmergency: true, at: now) != nil)
    #expect([4, 5, 50, 300].map(Ledger.reserve) == [0, 2, 5, 30])
  }

  @Test("of several limits the one that takes longest decides")
  func longest() {
    var ledger = ledger([.orders, .domain(dns("example.com"))])
    for _ in 0..<300 { ledger.spend([.orders], at: now) }
    for _ in 0..<50 { ledger.spend([.domain(dns("example.com"))], at: now) }
    #expect(ledger.wait(for: Array(ledger.buckets.keys), names: [], isEmergency: true, at: now)?.account == .domain(dns("example.com")))
  }

  @Test("names whose validations failed five times within the hour are not tried")
  func failures() {
    let account = LedgerAccount.failures(names[1])
    var ledger = ledger([account])
    for _ in 0..<5 { ledger.spend([account], at: now) }
    #expect(ledger.wait(for: [], names: names, isEmergency: true, at: now)?.until == now + .seconds(720))
  }

  @Test("an order that fails was made, but there is no certificate")
  func givenBack() {
    let charges = charges(.none)
    var ledger = ledger(charges)
    let before = ledger
    ledger.spend(charges, at: now)
    ledger.giveBack(charges)
    #expect(ledger.buckets[.orders]?.fullAt == now + .seconds(36))
    #expect(ledger.buckets.filter { $0.key != .orders }.allSatisfy { $0.value.readyAt() <= now })
    #expect(before != ledger)
  }

  @Test("when the CA says that a limit is reached, that counts")
  func corrected() {
    var ledger = ledger([.orders])
    ledger.holdBack(.orders, until: now + .seconds(500), at: now)
    #expect(ledger.wait(for: [.orders], names: [], isEmergency: true, at: now)?.until == now + .seconds(500))
  }

  @Test("but for no longer than the limit's own time, whatever it says")
  func mistaken() {
    var ledger = ledger([.orders])
    ledger.holdBack(.orders, until: now + .days(365), at: now)
    #expect(ledger.wait(for: [.orders], names: [], isEmergency: true, at: now)?.until == now + .seconds(10_800))
  }

  @Test("when somebody insists there is room for one order, and the next has to wait")
  func room() {
    var ledger = ledger([.orders])
    ledger.holdBack(.orders, until: now + .seconds(500), at: now)
    ledger.makeRoom(at: now)
    #expect(ledger.wait(for: [.orders], names: [], isEmergency: false, at: now) == nil)
    ledger.spend([.orders], at: now)
    #expect(ledger.wait(for: [.orders], names: [], isEmergency: false, at: now) != nil)
  }

  @Test("what was kept under a clock that was far ahead says nothing, and what is kept rightly never looks like that")
  func wrongClock() {
    let limit = limits.ordersPerAccount
    #expect(TokenBucket(limit, kept: now + .days(400), at: now).readyAt() <= now)
    var spent = TokenBucket(limit)
    spent.holdBack(until: now + .days(400), at: now)
    for _ in 0..<1_000 { spent.spend(at: now) }
    #expect(TokenBucket(limit, kept: spent.fullAt, at: now) == spent)
  }

  @Test(
    "which limit it means stands in its words",
    arguments: [
      (#"too many new orders (300) from this account in the last 3h0m0s, retry after 2026"#, "orders"),
      (#"too many certificates (50) already issued for "Example.com" in the last 168h0m0s"#, "domain example.com"),
      (#"too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s"#, "set"),
      (#"too many failed authorizations (5) for "b.example.com" in the last 1h0m0s"#, "failures b.example.com"),
      ("Service busy", nil),
    ] as [(String, String?)])
  func words(text: String, account: String?) {
    let found = LedgerAccount(explanation: text, names: names)
    #expect(found?.text.hasPrefix(account ?? "-") ?? (account == nil))
  }

  @Test("an account of the ledger is the same when it has been kept")
  func kept() {
    for account in charges(.none) + [.failures(names[0])] { #expect(LedgerAccount(text: account.text) == account) }
    #expect(LedgerAccount(text: "something else") == nil)
  }
}

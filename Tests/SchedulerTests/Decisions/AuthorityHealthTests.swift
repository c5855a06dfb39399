import ACMEClientAPI
import PKI
import Testing

@testable import Scheduler

@Suite("A CA that cannot be used")
struct AuthorityHealthTests {
  private let now = Instant(milliseconds: 1_790_000_000_000)
  private let outage = AttemptFailure(error: .caUnavailable, text: "503")

  @Test("is told once, and again when it can be used")
  func told() {
    var health = AuthorityHealth()
    #expect(health.take(outage, jitter: 0, at: now) == [.failed(outage)])
    #expect(health.take(outage, jitter: 0, at: now).isEmpty)
    #expect(health.take(nil, jitter: 0, at: now) == [.recovered(since: now)])
    #expect(health.take(nil, jitter: 0, at: now).isEmpty)
  }

  @Test("holds orders back but for one now and then, after 1, 10, and then every 60 minutes")
  func probes() {
    var health = AuthorityHealth()
    var allowed = [health.mayOrder(at: now)]
    var moment = now
    for minutes in [1, 10, 60, 60] {
      _ = health.take(outage, jitter: 0, at: moment)
      allowed.append(health.mayOrder(at: moment + .seconds(60 * minutes - 1)))
      moment = moment + .seconds(60 * minutes)
      // One at a time.
      allowed += [health.mayOrder(at: moment), health.mayOrder(at: moment)]
    }
    #expect(allowed == [true] + Array(repeating: [false, true, false], count: 4).flatMap(\.self))
  }

  @Test("and says when to come back is not asked before")
  func retryAfter() {
    var health = AuthorityHealth()
    var failure = outage
    failure.retryAfter = 7_200
    _ = health.take(failure, jitter: 1, at: now)
    let tooSoon = health.mayOrder(at: now + .seconds(7_200))
    #expect(!tooSoon, "chance adds to it")
    let inTime = health.mayOrder(at: now + .seconds(7_215))
    #expect(inTime)
  }

  @Test("and says when to come back is asked after six hours all the same: it does not know when it will work, and everyone waits")
  func mistakenRetryAfter() {
    var health = AuthorityHealth()
    var failure = outage
    failure.retryAfter = 31_536_000
    _ = health.take(failure, jitter: 0, at: now)
    #expect(health.outage?.retryAt == now + .seconds(21_600))
  }

  @Test("a failure that is a name's fault shows that the CA can be used")
  func otherFailure() {
    var health = AuthorityHealth()
    _ = health.take(outage, jitter: 0, at: now)
    #expect(health.take(AttemptFailure(error: .nameUnreachable, text: ""), jitter: 0, at: now) == [.recovered(since: now)])
  }

  @Test("an account that cannot be used is such a case, and told when it comes after an outage")
  func account() {
    var health = AuthorityHealth()
    let account = AttemptFailure(error: .accountProblem, text: "terms")
    _ = health.take(outage, jitter: 0, at: now)
    #expect(health.take(account, jitter: 0, at: now) == [.failed(account)])
  }
}

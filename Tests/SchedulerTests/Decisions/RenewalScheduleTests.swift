import PKI
import Testing

@testable import Scheduler

@Suite("When a certificate is due (RFC 9773)")
struct RenewalScheduleTests {
  private let start = Instant(milliseconds: 1_790_000_000_000)
  private let rule = RenewalRule(renewDays: 30, floor: .seconds(600))

  private func schedule(_ lifetime: Duration) -> RenewalSchedule {
    RenewalSchedule(Validity(notBefore: start, notAfter: start + lifetime), issuedAt: start)
  }

  private func window(
    _ from: Duration, _ to: Duration, explanation: String? = nil, retryAfter: Duration? = .seconds(21_600)
  ) -> RenewalSchedule.Answer {
    .window(start: start + from, end: start + to, explanation: explanation, retryAfter: retryAfter)
  }

  @Test(
    "where the CA suggests nothing: 30 days before the end, when a third is left, or half of a short life, whichever is later",
    arguments: [(2_160, 1_440), (1_536, 1_024), (1_080, 720), (160, 80)])
  func rule(lifetimeHours: Int, dueHours: Int) {
    let difference = schedule(.seconds(3_600 * lifetimeHours)).dueAt(by: rule) - start - .seconds(3_600 * dueHours)
    #expect(difference >= .milliseconds(-1) && difference <= .milliseconds(1))
  }

  @Test("the moment is drawn uniformly from the window, and kept while the window is the same", arguments: [0, 0.25, 1])
  func drawn(fraction: Double) {
    var schedule = schedule(.days(90))
    _ = schedule.take(window(.days(58), .days(60)), at: start, chance: { fraction })
    let drawn = schedule.dueAt(by: rule)
    #expect(drawn == start + .days(58) + .days(2) * fraction)
    _ = schedule.take(window(.days(58), .days(60)), at: start + .days(1), chance: { 1 - fraction })
    #expect(schedule.dueAt(by: rule) == drawn)
    _ = schedule.take(window(.days(50), .days(52)), at: start + .days(2), chance: { fraction })
    #expect(schedule.dueAt(by: rule) == start + .days(50) + .days(2) * fraction)
  }

  @Test("whatever the window says, a twentieth of the lifetime before the end is the latest", arguments: [90, 64, 45, 6])
  func latest(days: Int) {
    var schedule = schedule(.days(days))
    _ = schedule.take(window(.days(days * 2), .days(days * 3)), at: start, chance: { 0.5 })
    #expect(schedule.dueAt(by: rule) == start + .days(days) - .days(days) / 20)
  }

  @Test("a window in the past cannot start one issue after the other")
  func floor() {
    var schedule = schedule(.days(90))
    _ = schedule.take(window(.seconds(-7_200), .seconds(-3_600)), at: start, chance: { 0.5 })
    #expect(schedule.dueAt(by: rule) == start + .seconds(600))
    var brief = self.schedule(.seconds(600))
    _ = brief.take(window(.seconds(-7_200), .seconds(-3_600)), at: start, chance: { 0.5 })
    #expect(brief.dueAt(by: rule) == start + .seconds(60), "of a certificate for ten minutes a tenth")
  }

  @Test("Retry-After is the pace, between a minute and a day", arguments: [(0, 60), (61, 61), (21_600, 21_600), (1_000_000, 86_400)])
  func pace(retryAfter: Int, pause: Int) {
    var schedule = schedule(.days(90))
    #expect(schedule.pollAt == start, "the CA is asked at once after the issue")
    _ = schedule.take(window(.days(58), .days(60), retryAfter: .seconds(retryAfter)), at: start, chance: { 1 })
    #expect(schedule.pollAt == start + .seconds(pause))
  }

  @Test("an error that passes is asked about again soon, with growing pauses, and one that may last after six hours")
  func errors() {
    var schedule = schedule(.days(90))
    var pauses: [Int] = []
    for _ in 0..<9 {
      _ = schedule.take(.temporaryError(retryAfter: nil), at: start, chance: { 0 })
      pauses.append(schedule.pollAt.map { Int(($0 - start).components.seconds) } ?? 0)
    }
    #expect(pauses == [60, 120, 240, 480, 960, 1_920, 3_840, 21_600, 21_600])
    _ = schedule.take(.temporaryError(retryAfter: .seconds(50_000)), at: start, chance: { 0 })
    #expect(schedule.pollAt == start + .seconds(50_000))
    _ = schedule.take(.lastingError, at: start, chance: { 0 })
    #expect(schedule.pollAt == start + .seconds(21_600))
    _ = schedule.take(window(.days(60), .days(58)), at: start, chance: { 0 })
    #expect(schedule.window == nil && schedule.pollAt == start + .seconds(21_600), "a window that ends before it begins is such an error")
    _ = schedule.take(.unsupported, at: start, chance: { 0 })
    #expect(schedule.pollAt == start + .days(1))
  }

  @Test("an error takes no window away")
  func keptThroughErrors() {
    var schedule = schedule(.days(90))
    _ = schedule.take(window(.days(40), .days(42)), at: start, chance: { 0.5 })
    for answer in [RenewalSchedule.Answer.temporaryError(retryAfter: nil), .lastingError] {
      _ = schedule.take(answer, at: start, chance: { 0.5 })
      #expect(schedule.dueAt(by: rule) == start + .days(41))
    }
  }

  @Test("after its end nobody is asked about a certificate any more")
  func expired() {
    var schedule = schedule(.days(90))
    _ = schedule.take(window(.days(58), .days(60)), at: start + .days(90) - .seconds(60), chance: { 0 })
    #expect(schedule.pollAt == nil)
  }

  @Test("a window far ahead of its time, or an explained one that is over, means that the certificate is not to be used up; it is said once")
  func pressing() {
    var revoked = schedule(.days(90))
    #expect(revoked.take(window(.days(9), .days(10)), at: start + .days(11), chance: { 0 }) == [.pressing])
    #expect(revoked.take(window(.days(9), .days(11)), at: start + .days(11), chance: { 0 }).isEmpty)
    #expect(revoked.isPressing)
    var ahead = schedule(.days(90))
    #expect(ahead.take(window(.days(2), .days(3)), at: start + .days(1), chance: { 0 }) == [.pressing], "nobody plans so early")
    var explained = schedule(.days(90))
    let answer = window(.days(69), .days(70), explanation: "https://ca.test/why")
    #expect(explained.take(answer, at: start + .days(71), chance: { 0 }) == [.pressing, .explained("https://ca.test/why")])
    #expect(explained.take(answer, at: start + .days(72), chance: { 0 }).isEmpty)
    var late = schedule(.days(90))
    #expect(late.take(window(.days(58), .days(60)), at: start + .days(61), chance: { 0 }).isEmpty, "the connector was down for that long")
  }
}

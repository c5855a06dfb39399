import PKI
import SchedulerAPI
import Testing

@testable import Scheduler

@Suite("Whether the scheduler keeps up")
struct PunctualityTests {
  private let now = Instant(milliseconds: 1_790_000_000_000)

  @Test("what is begun within the hour is in time", arguments: [nil, 0, 3_600])
  func inTime(seconds: Int?) {
    let since = seconds.map { now - .seconds($0) }
    #expect(Punctuality(overdueSince: since, waitingSince: since).alarm(at: now) == nil)
  }

  @Test("what is not is an alarm, and a grave one after a day", arguments: [(3_601, AlarmSeverity.indeterminate), (86_401, .major)])
  func late(seconds: Int, severity: AlarmSeverity) {
    let since = now - .seconds(seconds)
    let overdue = Punctuality(overdueSince: since).alarm(at: now)
    #expect(overdue?.code == .schedulerLate && overdue?.severity == severity && overdue?.text.contains("did not run") == true)
    let waiting = Punctuality(overdueSince: since, waitingSince: since).alarm(at: now)
    #expect(waiting?.severity == severity && waiting?.text.contains("orders.concurrent") == true)
  }

  @Test("a clock that was set back makes nobody late")
  func setBack() {
    #expect(Punctuality(overdueSince: now + .days(1), waitingSince: now + .days(1)).alarm(at: now) == nil)
  }
}

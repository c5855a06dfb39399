import PKI
import SchedulerAPI

/// Whether the scheduler keeps up with what is to be done.
struct Punctuality: Hashable {
  /// The longest that something may be due before the scheduler looks at it, and that an order may wait which nothing holds back.
  static let tolerance = Duration.seconds(3_600)
  /// When it becomes grave.
  private static let gravest = Duration.days(1)

  /// Since when the longest overdue was due as the scheduler looked; nil when nothing was.
  var overdueSince: Instant?
  /// Since when the order that waits longest could have been begun; nil when none waits.
  var waitingSince: Instant?

  /// The alarm that the scheduler itself is late; nil while it keeps up.
  func alarm(at now: Instant) -> Alarm? {
    if let waitingSince, now - waitingSince > Self.tolerance {
      let text = """
        Orders wait since \(waitingSince), and nothing holds them back but those under way: raise orders.concurrent, or see in the journal what \
        makes them slow.
        """
      return Alarm(code: .schedulerLate, severity: severity(waitingSince, now), text: text)
    }
    if let overdueSince, now - overdueSince > Self.tolerance {
      let text = """
        What was due \(overdueSince) was looked at \(now): the scheduler did not run, its machine slept, its clock was moved, or its disk could not \
        be written; its journal says which.
        """
      return Alarm(code: .schedulerLate, severity: severity(overdueSince, now), text: text)
    }
    return nil
  }

  private func severity(_ since: Instant, _ now: Instant) -> AlarmSeverity { now - since > Self.gravest ? .major : .indeterminate }
}

import Chance
import PKI

/// Asking a CA about all certificates of a fleet, once they all are overdue: how many questions it gets in a second, and how many in all.
struct Inquiries {
  /// From a question to its answer.
  private static let answerTime = Duration.milliseconds(50)
  private static let retryAfter = Duration.seconds(6 * 3_600)

  private(set) var busiestSecond = 0
  private(set) var count = 0

  /// - Parameter days: how long they are watched.
  init(certificates: Int, days: Int, seed: UInt64) {
    let start = Instant(milliseconds: 1_795_478_400_000)
    var generator = SeededGenerator(seed: seed)
    var schedules: [RenewalSchedule] = []
    var agenda = Agenda<Int>()
    for number in 0..<certificates {
      let issuedAt = start - .days(1) - .days(50) * generator.fraction()
      schedules.append(RenewalSchedule(Validity(notBefore: issuedAt, notAfter: issuedAt + .days(90)), issuedAt: issuedAt))
      agenda.put(number, at: start)
    }
    var places = Agenda<Void>()
    for _ in 0..<RenewalSchedule.inquiriesAtOnce { places.put((), at: start) }
    var (second, inSecond): (Int64, Int) = (0, 0)
    while let due = agenda.next, let free = places.next, max(due, free) < start + .days(days), let number = agenda.take() {
      let now = max(due, free)
      _ = places.take()
      places.put((), at: now + Self.answerTime)
      (second, inSecond) = now.milliseconds / 1_000 == second ? (second, inSecond + 1) : (now.milliseconds / 1_000, 1)
      busiestSecond = max(busiestSecond, inSecond)
      count += 1
      let validity = schedules[number].validity
      _ = schedules[number].take(
        .window(start: validity.notAfter - .days(31), end: validity.notAfter - .days(29), explanation: nil, retryAfter: Self.retryAfter),
        at: now + Self.answerTime, chance: { 0.5 })
      if let next = schedules[number].pollAt { agenda.put(number, at: next) }
    }
  }
}

import PKI
import Synchronization

/// The clock of a CA, by what its last answer showed and the time since; this machine's time of day has no part in it.
final class AuthorityTime: Sendable {
  private let shown = Mutex<(date: Instant, at: ContinuousClock.Instant)?>(nil)

  /// What it shows now; nil while no answer had a date.
  var now: Instant? { shown.withLock { $0.map { $0.date + $0.at.duration(to: .now) } } }

  /// An answer has come, with its date if it has one.
  func take(_ date: Instant?) {
    guard let date else { return }
    shown.withLock { $0 = (date, .now) }
  }
}

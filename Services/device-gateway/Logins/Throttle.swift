/// Slows guessing down: whoever was wrong too often waits, each time twice as long, and what is guessed at rests after too many wrong guesses from
/// wherever they come. Nothing counts that a guesser can choose.
///
/// Devices share with guessers what they log in to, and behind a reverse proxy the address too. Who logged in rightly and was not wrong since, by
/// all its names, with the same login and from the same network, is let through to that login whatever others do; ``KnownClients`` keeps that over
/// a restart in good order, so a fleet reconnects during an attack. For the others what is shared rests for a second at a time. Guessers from very many networks can begin that second
/// anew as soon as it is over: as long as they do, a device that is new, or comes from elsewhere, gets in by luck. That is the price of one guess a
/// second for all of them together, which a secret that a person made up may need.
///
/// A right login does not wash off what its source has guessed, and a single wrong one ends the acquaintance: whoever knows one secret, and makes as
/// many clients known by it as it likes, gains guesses at nothing but that secret.
struct Throttle: Sendable {
  /// Whom guesses are counted for.
  enum Subject: Hashable, Sendable {
    case source(PeerNetwork)
    /// A reverse proxy that does not say for whom it asks, and all who come through it.
    case proxy
    /// The secrets that open the door whatever the domain.
    case instance
    /// The secrets of one domain.
    case domain(TenantDomain)
  }

  /// How many wrong guesses cost nothing.
  var freeGuesses = 5
  /// The same for what many devices with an old secret may be wrong at.
  var freeGuessesAtTarget = 50
  /// The first pause.
  var firstPause = Duration.seconds(1)
  /// The longest pause of a single source.
  var longestPause = Duration.seconds(60)
  /// The pause of what guessers share with devices.
  var sharedPause = Duration.seconds(1)
  /// After so long one wrong guess is forgotten.
  var decay = Duration.seconds(60)
  /// How many subjects, and how many known clients, are kept in mind.
  static let capacity = 20_000
  var capacity = Throttle.capacity

  private struct Record {
    var failures: Int
    var lastFailure: ContinuousClock.Instant
  }

  /// More failures count no more: by then the pause is the longest.
  private static let mostFailures = 100

  private var records: [Subject: Record] = [:]
  private(set) var knownClients: Set<Int>

  /// - Parameter knownClients: those of an earlier process.
  init(knownClients: some Sequence<Int> = []) {
    self.knownClients = Set(knownClients)
  }

  var count: Int { records.count }

  /// How long somebody unknown has to wait; nil if it need not.
  func pause(for subjects: [Subject], at now: ContinuousClock.Instant) -> Duration? {
    let ends = subjects.compactMap { subject in records[subject].map { $0.lastFailure + pause(of: subject, after: $0.failures) } }
    guard let last = ends.max(), now < last else { return nil }
    return now.duration(to: last)
  }

  /// Whether somebody was right and never wrong since.
  func knows(_ caller: Int) -> Bool { knownClients.contains(caller) }

  /// - Parameter callers: who it would have been, by each login that was tried.
  mutating func failed(_ subjects: [Subject], by callers: [Int] = [], at now: ContinuousClock.Instant) {
    knownClients.subtract(callers)
    for subject in subjects {
      let failures = records[subject].map { remaining($0, at: now) } ?? 0
      records[subject] = Record(failures: min(failures + 1, Self.mostFailures), lastFailure: now)
    }
    if records.count > capacity { forget(at: now) }
  }

  /// - Parameter caller: who it is; it need not wait from now on.
  mutating func succeeded(_ caller: Int) {
    if knownClients.count >= capacity { knownClients.removeFirst() }
    knownClients.insert(caller)
  }

  private func remaining(_ record: Record, at now: ContinuousClock.Instant) -> Int {
    max(0, record.failures - Int(record.lastFailure.duration(to: now) / decay))
  }

  private func pause(of subject: Subject, after failures: Int) -> Duration {
    switch subject {
    case .source: failures < freeGuesses ? .zero : min(longestPause, firstPause * (1 << min(failures - freeGuesses, 20)))
    case .proxy: failures < freeGuesses ? .zero : sharedPause
    case .instance, .domain: failures < freeGuessesAtTarget ? .zero : sharedPause
    }
  }

  /// Makes room: what is forgiven goes, and if nothing is, the older half. So the work is paid for by as many failures.
  private mutating func forget(at now: ContinuousClock.Instant) {
    records = records.filter { remaining($0.value, at: now) > 0 }
    guard records.count > capacity else { return }
    let median = records.values.map(\.lastFailure).sorted()[records.count / 2]
    records = records.filter { $0.value.lastFailure > median }
  }
}

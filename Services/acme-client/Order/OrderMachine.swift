import PKI

/// The course of one order (RFC 8555, section 7.1.6): what has happened goes in, what is to be done comes out. It does nothing itself and has no
/// clock; requests for many names are under way at once, and the answers come in any order.
struct OrderMachine: Sendable {
  /// How long one call works on an order. The order is kept, and the next call takes it up.
  static let timeLimit = Duration.seconds(600)
  /// How long the other names may still be validated when one has failed, so that all that are wrong are named at once.
  static let stragglerLimit = Duration.seconds(10)
  /// With more names than these the order is watched in their stead: one request tells of all.
  static let mostNamesWatched = 4
  /// When the order has been watched with pauses up to this, each name is looked at: one of them may be slow, or the CA slow to tell.
  static let longestWatch = Duration.milliseconds(500)
  /// How often one request is sent again when the CA does not answer or is busy.
  static let mostAttempts = 6

  enum Phase {
    /// The order is made, or read for the first time.
    case beginning
    case authorizing
    /// Every name is proved; the CSR is on its way or with the CA.
    case finalizing
    case downloading
    case over
  }

  /// What tells that the names are proved.
  enum Watch {
    case names
    /// The order, once everything is posted.
    case order
  }

  let isResumed: Bool
  private let deadline: Instant
  var phase = Phase.beginning
  var url: ResourceURL?
  private var finalizeURL: ResourceURL?
  var progress: [ResourceURL: AuthorizationProgress] = [:]
  var pace = PollPace()
  var attempts: [OrderRequest: Int] = [:]
  var finalizations = 0
  var isWaitingForStragglers = false
  var watch = Watch.names
  var isOrderWatched = false

  /// Begins an order, or takes up the one at `url`.
  static func begin(resuming url: ResourceURL?, now: Instant) -> (machine: OrderMachine, actions: [OrderAction]) {
    (OrderMachine(resuming: url, deadline: now + timeLimit), [.send(url.map { .read($0) } ?? .create, after: .zero)])
  }

  private init(resuming url: ResourceURL?, deadline: Instant) {
    self.url = url
    self.isResumed = url != nil
    self.deadline = deadline
  }

  /// Takes in what has happened.
  /// - Returns: what is to be done, in this order; ``OrderAction/end(_:)`` is the last action of all.
  mutating func handle(_ event: OrderEvent, now: Instant) -> [OrderAction] {
    forgetAttempts(answeredBy: event)
    switch (event, phase) {
    case (_, .over):
      return []
    case (.created(let url, let answer, let wish), .beginning):
      self.url = url
      return answered(answer, retryAfter: wish, now: now)
    case (.read(let answer, let wish), .beginning), (.read(let answer, let wish), .finalizing):
      return answered(answer, retryAfter: wish, now: now)
    case (.read(let answer, let wish), .authorizing):
      return watched(answer, retryAfter: wish, now: now)
    case (.finalized(let answer, let wish), .finalizing):
      return finalized(answer, retryAfter: wish, now: now)
    case (.notReady(let wish), .finalizing):
      return poll(retryAfter: wish, now: now)
    case (.authorizationRead(let url, let authorization, let wish), .authorizing):
      return read(authorization, at: url, retryAfter: wish, now: now)
    case (.published(let url, let responders), .authorizing):
      return advance(url, now: now) { $0.published(by: responders, now: now) }
    case (.notPublished(let url, let reason), .authorizing):
      return advance(url, now: now) { $0.notPublished(reason) }
    case (.challengePosted(let url, let challenge, let wish), .authorizing):
      return advance(url, retryAfter: wish, now: now) { $0.posted(challenge) }
    case (.waitedForStragglers, .authorizing):
      return endWithFailures()
    case (.chainStored, .downloading):
      return end(.issued)
    case (.failed(let request, let error), _):
      return failed(request, error, now: now)
    default:
      // An answer that was still under way when the order went on without it.
      return []
    }
  }
}

// MARK: - The order

extension OrderMachine {
  private mutating func answered(_ answer: Order, retryAfter wish: Duration?, now: Instant) -> [OrderAction] {
    finalizeURL = answer.finalize
    return remains(of: answer) + goOn(answer, retryAfter: wish, now: now)
  }

  /// An order that is taken up when its names are settled never looks at them: what was in place for them when a run was interrupted still is.
  private func remains(of answer: Order) -> [OrderAction] {
    guard isResumed, phase == .beginning else { return [] }
    switch answer.status {
    case .ready, .processing, .valid, .invalid: return [.withdrawRemains(answer.authorizations)]
    case .pending, .unknown: return []
    }
  }

  private mutating func goOn(_ answer: Order, retryAfter wish: Duration?, now: Instant) -> [OrderAction] {
    switch (answer.status, phase) {
    case (.pending, .beginning):
      return authorize(answer)
    case (.ready, .beginning), (.ready, .finalizing):
      return finalize()
    case (.invalid, .beginning) where isResumed:
      return end(.beginAnew("the CA has made the order invalid"))
    default:
      return enterFinalizing() + finalized(answer, retryAfter: wish, now: now)
    }
  }

  private mutating func authorize(_ answer: Order) -> [OrderAction] {
    phase = .authorizing
    let urls = answer.authorizations.filter { progress.updateValue(AuthorizationProgress(url: $0), forKey: $0) == nil }
    guard !urls.isEmpty else { return end(.failed(.order(nil))) }
    watch = urls.count > Self.mostNamesWatched ? .order : .names
    return [.enter(.challenging)] + urls.map { .send(.readAuthorization($0), after: .zero) }
  }

  mutating func finalize() -> [OrderAction] {
    guard let finalizeURL else { return end(.failed(.order(nil))) }
    finalizations += 1
    return enterFinalizing() + [.send(.finalize(finalizeURL), after: .zero)]
  }

  private mutating func enterFinalizing() -> [OrderAction] {
    guard phase != .finalizing else { return [] }
    phase = .finalizing
    pace = PollPace()
    return [.enter(.finalizing)]
  }

  /// The answer to finalize, or the order as it was read again afterwards.
  private mutating func finalized(_ answer: Order, retryAfter wish: Duration?, now: Instant) -> [OrderAction] {
    switch answer.status {
    case .valid:
      guard let chain = answer.certificate else { return poll(retryAfter: wish, now: now) }
      phase = .downloading
      return [.send(.download(chain), after: .zero)]
    case .invalid:
      return end(.failed(.order(answer.error)))
    case .pending, .ready, .processing, .unknown:
      return poll(retryAfter: wish, now: now)
    }
  }

  mutating func poll(retryAfter wish: Duration?, now: Instant) -> [OrderAction] {
    guard let url else { return end(.failed(.order(nil))) }
    return send(.read(url), after: pace.next(retryAfter: wish), otherwise: overdue(wish), now: now)
  }

  /// A request for later, if there is a later.
  mutating func send(
    _ request: OrderRequest, after delay: Duration, otherwise failure: OrderFailure, now: Instant
  ) -> [OrderAction] {
    now + delay <= deadline ? [.send(request, after: delay)] : fail(failure)
  }

  func overdue(_ wish: Duration?) -> OrderFailure {
    .overdue(phase == .authorizing ? .challenging : phase == .finalizing ? .finalizing : nil, retryAfter: wish)
  }

  /// Names that are known to be refused are the reason, whatever else goes wrong beside them.
  mutating func fail(_ failure: OrderFailure) -> [OrderAction] {
    phase == .authorizing && hasFailedNames ? endWithFailures() : end(.failed(failure))
  }

  /// What is in place goes when the order is over. Where a request alone has failed the order goes on with the next call, and the CA may be
  /// looking for the answers at this moment: they stay until their leases end, for a name that is not found counts as failed.
  mutating func end(_ ending: OrderEnding) -> [OrderAction] {
    phase = .over
    if case .failed(.request) = ending { return [.end(ending)] }
    return progress.values.compactMap(\.publication).map { .withdraw($0) } + [.end(ending)]
  }
}

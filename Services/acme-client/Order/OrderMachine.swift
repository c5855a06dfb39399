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

  private enum Phase {
    /// The order is made, or read for the first time.
    case beginning
    case authorizing
    /// Every name is proved; the CSR is on its way or with the CA.
    case finalizing
    case downloading
    case over
  }

  /// What tells that the names are proved.
  private enum Watch {
    case names
    /// The order, once everything is posted.
    case order
  }

  private let isResumed: Bool
  private let deadline: Instant
  private var phase = Phase.beginning
  private var url: ResourceURL?
  private var finalizeURL: ResourceURL?
  private var progress: [ResourceURL: AuthorizationProgress] = [:]
  private var pace = PollPace()
  private var attempts: [OrderRequest: Int] = [:]
  private var finalizations = 0
  private var isWaitingForStragglers = false
  private var watch = Watch.names
  private var isOrderWatched = false

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

  private mutating func finalize() -> [OrderAction] {
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

  private mutating func poll(retryAfter wish: Duration?, now: Instant) -> [OrderAction] {
    guard let url else { return end(.failed(.order(nil))) }
    return send(.read(url), after: pace.next(retryAfter: wish), otherwise: overdue(wish), now: now)
  }

  /// A request for later, if there is a later.
  private mutating func send(
    _ request: OrderRequest, after delay: Duration, otherwise failure: OrderFailure, now: Instant
  ) -> [OrderAction] {
    now + delay <= deadline ? [.send(request, after: delay)] : fail(failure)
  }

  private func overdue(_ wish: Duration?) -> OrderFailure {
    .overdue(phase == .authorizing ? .challenging : phase == .finalizing ? .finalizing : nil, retryAfter: wish)
  }

  /// Names that are known to be refused are the reason, whatever else goes wrong beside them.
  private mutating func fail(_ failure: OrderFailure) -> [OrderAction] {
    phase == .authorizing && hasFailedNames ? endWithFailures() : end(.failed(failure))
  }

  /// What is in place goes when the order is over. Where a request alone has failed the order goes on with the next call, and the CA may be
  /// looking for the answers at this moment: they stay until their leases end, for a name that is not found counts as failed.
  private mutating func end(_ ending: OrderEnding) -> [OrderAction] {
    phase = .over
    if case .failed(.request) = ending { return [.end(ending)] }
    return progress.values.compactMap(\.publication).map { .withdraw($0) } + [.end(ending)]
  }
}

// MARK: - The names

extension OrderMachine {
  private mutating func read(_ authorization: Authorization, at url: ResourceURL, retryAfter wish: Duration?, now: Instant) -> [OrderAction] {
    guard let name = authorization.identifier.name else {
      return fail(.request(ACMEError(.badAnswer, url.value, "the CA asks for a proof of something that is no DNS name")))
    }
    // A name that is found settled when the order is taken up may have its answer in place still, from an earlier run.
    let remains = isResumed ? authorization.publication : nil
    return advance(url, remains: remains, retryAfter: wish, now: now) { $0.read(authorization, of: name) }
  }

  /// Takes one name a step further.
  private mutating func advance(
    _ url: ResourceURL, remains: Publication? = nil, retryAfter wish: Duration? = nil, now: Instant,
    _ step: (inout AuthorizationProgress) -> AuthorizationProgress.Need
  ) -> [OrderAction] {
    guard var entry = progress[url], !entry.isOver else { return [] }
    let publication = entry.publication ?? remains
    let need = step(&entry)
    progress[url] = entry
    switch need {
    case .publish(let publication, let expires): return [.publish(publication, authorization: url, expires: expires)]
    case .postChallenge(let challenge): return send(.postChallenge(challenge, authorization: url), after: .zero, otherwise: overdue(wish), now: now)
    case .lookAtOnce: return send(.readAuthorization(url), after: .zero, otherwise: overdue(wish), now: now)
    case .look: return look(again: url, retryAfter: wish, now: now)
    case .nothingMore: return settled(entry, withdrawing: publication, now: now) + proceed(now: now)
    case .nothingNew: return []
    }
  }

  /// What is in place for a name goes when the name is settled.
  private func settled(_ entry: AuthorizationProgress, withdrawing publication: Publication?, now: Instant) -> [OrderAction] {
    let validation = entry.validation(now: now).map { OrderAction.validated($0.name, after: $0.duration) }
    return [publication.map { .withdraw($0) }, validation].compactMap(\.self)
  }

  /// Looks whether the CA is done with a name, or at the order when it is that which is watched and nothing is left to be posted.
  private mutating func look(again url: ResourceURL, retryAfter wish: Duration?, now: Instant) -> [OrderAction] {
    switch watch {
    case .names:
      guard let delay = progress[url]?.pause(retryAfter: wish) else { return [] }
      return send(.readAuthorization(url), after: delay, otherwise: overdue(wish), now: now)
    case .order:
      return watchOrder(retryAfter: nil, now: now)
    }
  }

  private mutating func watchOrder(retryAfter wish: Duration?, now: Instant) -> [OrderAction] {
    guard watch == .order, !isOrderWatched, progress.values.allSatisfy(\.isWithCA) else { return [] }
    isOrderWatched = true
    return poll(retryAfter: wish, now: now)
  }

  /// The order while the CA validates.
  private mutating func watched(_ answer: Order, retryAfter wish: Duration?, now: Instant) -> [OrderAction] {
    isOrderWatched = false
    switch answer.status {
    case .ready:
      return progress.values.filter { !$0.isOver }.flatMap { open in
        var entry = open
        entry.proved()
        progress[entry.url] = entry
        return settled(entry, withdrawing: open.publication, now: now)
      } + finalize()
    case .pending where pace.shortestNext <= Self.longestWatch, .unknown where pace.shortestNext <= Self.longestWatch:
      return watchOrder(retryAfter: wish, now: now)
    default:
      watch = .names
      let open = progress.values.filter { !$0.isOver }
      return open.isEmpty ? proceed(now: now) : open.map { .send(.readAuthorization($0.url), after: .zero) }
    }
  }

  private var hasFailedNames: Bool { progress.values.contains { $0.failure != nil } }

  private mutating func proceed(now: Instant) -> [OrderAction] {
    let hasFailed = hasFailedNames
    if progress.values.allSatisfy(\.isOver) {
      if hasFailed { return endWithFailures() }
      // The answer that is under way says the same, and the CSR is sent once.
      return isOrderWatched ? [] : finalize()
    }
    guard hasFailed, !isWaitingForStragglers else { return watchOrder(retryAfter: nil, now: now) }
    isWaitingForStragglers = true
    return [.waitForStragglers(Self.stragglerLimit)] + watchOrder(retryAfter: nil, now: now)
  }

  private mutating func endWithFailures() -> [OrderAction] {
    end(.failed(.names(progress.values.compactMap(\.failure).sorted { $0.name < $1.name })))
  }
}

// MARK: - Failures

extension OrderMachine {
  /// Only failures in a row count.
  private mutating func forgetAttempts(answeredBy event: OrderEvent) {
    switch event {
    case .read: url.map { attempts[.read($0)] = nil }
    case .authorizationRead(let url, _, _): attempts[.readAuthorization(url)] = nil
    default: break
    }
  }

  private mutating func failed(_ request: OrderRequest, _ error: ACMEError, now: Instant) -> [OrderAction] {
    let count = attempts[request, default: 0] + 1
    attempts[request] = count
    // Half a second, then twice as long each time; the CA's own wish counts if it is longer.
    let delay = max(.milliseconds(250 << min(count, 8)), error.retryAfter ?? .zero)
    let mayTryAgain = error.isTransient && count < Self.mostAttempts
    switch request {
    case .readAuthorization where phase != .authorizing, .postChallenge where phase != .authorizing:
      return []
    case .read where phase == .beginning && isResumed && error.meansGone:
      return end(.beginAnew("the CA does not know the order any more"))
    case .create:
      // Not repeated here: the CA may have made the order (the intent is on disk), or wants a long wait.
      return end(.failed(.request(error)))
    case .postChallenge(_, let authorization) where error.isTransient || error.document?.type == .malformed || error.status == 409:
      // It may have arrived, or the CA may be at it already: the authorization tells.
      guard count < Self.mostAttempts else { return fail(.request(error)) }
      return send(.readAuthorization(authorization), after: delay, otherwise: .request(error), now: now)
    case .finalize where mayTryAgain || (finalizations > 1 && count < Self.mostAttempts):
      // The CSR may have arrived, then a second one is refused: the order tells.
      guard let url else { return end(.failed(.request(error))) }
      return send(.read(url), after: delay, otherwise: .request(error), now: now)
    case .download where error.code == .wrongCertificate && isResumed:
      return end(.beginAnew(error.cause))
    default:
      return mayTryAgain ? send(request, after: delay, otherwise: .request(error), now: now) : fail(.request(error))
    }
  }
}

import PKI

// The proofs of the names, up to the last one.
extension OrderMachine {
  mutating func read(_ authorization: Authorization, at url: ResourceURL, retryAfter wish: Duration?, now: Instant) -> [OrderAction] {
    guard let name = authorization.identifier.name else {
      return fail(.request(ACMEError(.badAnswer, url.value, "the CA asks for a proof of something that is no DNS name")))
    }
    // A name that is found settled when the order is taken up may have its answer in place still, from an earlier run.
    let remains = isResumed ? authorization.publication : nil
    return advance(url, remains: remains, retryAfter: wish, now: now) { $0.read(authorization, of: name) }
  }

  /// Takes one name a step further.
  mutating func advance(
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
  mutating func watched(_ answer: Order, retryAfter wish: Duration?, now: Instant) -> [OrderAction] {
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

  var hasFailedNames: Bool { progress.values.contains { $0.failure != nil } }

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

  mutating func endWithFailures() -> [OrderAction] {
    end(.failed(.names(progress.values.compactMap(\.failure).sorted { $0.name < $1.name })))
  }
}

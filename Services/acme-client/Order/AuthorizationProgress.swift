import PKI

/// How far the proof of one name is (RFC 8555, section 7.1.6): what the CA and the responders say goes in, what is needed next comes out.
struct AuthorizationProgress: Sendable, Hashable {
  /// What is needed next for the name.
  enum Need: Sendable, Hashable {
    case publish(Publication, expires: Instant?)
    case postChallenge(ResourceURL)
    /// A look at the authorization, after a while or at once.
    case look
    case lookAtOnce
    /// The name is proved, or cannot be.
    case nothingMore
    /// An answer to something that is settled otherwise.
    case nothingNew
  }

  private enum State: Sendable, Hashable {
    /// Not read yet.
    case unread
    /// Being put in place. `challenge` is posted afterwards, unless the CA is at it already.
    case publishing(Publication, challenge: ResourceURL?)
    /// The CA is being told; until it has heard, a second look decides whether to tell it again.
    case posting(Publication, challenge: ResourceURL)
    /// The CA is at it.
    case validating(Publication)
    case valid(DNSName)
    case failed(NameFailure)
  }

  let url: ResourceURL
  private var state = State.unread
  private var pace = PollPace()
  /// When the CA was asked to validate.
  private var began: Instant?
  private var responders: [String] = []

  init(url: ResourceURL) {
    self.url = url
  }

  /// Whether nothing more will happen.
  var isOver: Bool {
    switch state {
    case .valid, .failed: true
    case .unread, .publishing, .posting, .validating: false
    }
  }

  /// Whether all that is left is to wait for the CA, if anything is.
  var isWithCA: Bool {
    if case .validating = state { true } else { isOver }
  }

  /// Why the name cannot be proved.
  var failure: NameFailure? {
    if case .failed(let failure) = state { failure } else { nil }
  }

  /// What is in place for the CA to find.
  var publication: Publication? {
    switch state {
    case .publishing(let publication, _), .posting(let publication, _), .validating(let publication): publication
    case .unread, .valid, .failed: nil
    }
  }

  /// The proved name, and how long the CA took; nil for one that was proved before.
  func validation(now: Instant) -> (name: DNSName, duration: Duration)? {
    guard case .valid(let name) = state, let began else { return nil }
    return (name, now - began)
  }

  /// How long to wait before the next look.
  mutating func pause(retryAfter wish: Duration?) -> Duration { pace.next(retryAfter: wish) }

  /// The CA has shown the authorization.
  mutating func read(_ authorization: Authorization, of name: DNSName) -> Need {
    switch authorization.status {
    case .valid:
      state = .valid(name)
      return .nothingMore
    case .invalid: return fail(name, authorization.problem.map { .refused($0) } ?? .unusable(.invalid))
    case .deactivated, .expired, .revoked: return fail(name, .unusable(authorization.status))
    case .pending, .unknown: return prove(authorization, of: name)
    }
  }

  /// The order is ready, so that this name is proved.
  mutating func proved() {
    if let publication { state = .valid(publication.name) }
  }

  /// The answer is in place.
  mutating func published(by responders: [String], now: Instant) -> Need {
    guard case .publishing(let publication, let challenge) = state else { return .nothingNew }
    began = now
    self.responders = responders
    guard let challenge else {
      state = .validating(publication)
      return .lookAtOnce
    }
    state = .posting(publication, challenge: challenge)
    return .postChallenge(challenge)
  }

  /// The answer is not in place.
  mutating func notPublished(_ reason: String) -> Need {
    guard let publication else { return .nothingNew }
    return fail(publication.name, .notPublished(reason))
  }

  /// The CA has heard that it may validate.
  mutating func posted(_ challenge: Challenge) -> Need {
    guard case .posting(let publication, _) = state else { return .nothingNew }
    state = .validating(publication)
    // The authorization has the last word, even when the challenge says that it is over.
    return challenge.status == .valid || challenge.status == .invalid ? .lookAtOnce : .look
  }

  private mutating func prove(_ authorization: Authorization, of name: DNSName) -> Need {
    guard let challenge = authorization.http01, let token = challenge.challengeToken else { return fail(name, .noChallenge) }
    if challenge.status == .invalid { return fail(name, challenge.error.map { .refused($0) } ?? .unusable(.invalid)) }
    switch state {
    case .unread:
      let publication = Publication(name: name, token: token)
      // One that the CA is at already is put in place again, and not posted (RFC 8555, section 7.5.1).
      state = .publishing(publication, challenge: challenge.status == .pending ? challenge.url : nil)
      return .publish(publication, expires: authorization.expires?.instant)
    case .posting(_, let challengeURL) where challenge.status == .pending:
      return .postChallenge(challengeURL)
    case .posting(let publication, _):
      state = .validating(publication)
      return .look
    case .publishing, .validating, .valid, .failed:
      return .look
    }
  }

  private mutating func fail(_ name: DNSName, _ cause: NameFailure.Cause) -> Need {
    state = .failed(NameFailure(name: name, cause: cause, answeredBy: responders))
    return .nothingMore
  }
}

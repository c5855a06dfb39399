import AppWebsocket
import DeviceGatewayAPI
import NIOConcurrencyHelpers
import PKI

/// Decides whether a login opens the door. It is asked on event loops and answers at once: a login costs microseconds of hashing, and no event loop
/// waits for an actor.
final class Authenticator: Sendable {
  /// What is found of a login.
  enum Judgement: Sendable {
    case admitted(StoredLogin, by: LoginSecret)
    case refused
    /// Not even looked at: there were too many wrong ones.
    case blocked(Duration)
  }

  private struct State {
    var book: LoginBook
    var throttle: Throttle
  }

  private let state: NIOLockedValueBox<State>
  private let knownClients: KnownClients
  private let clock: WallClock

  init(_ book: LoginBook, knownClients: KnownClients, clock: WallClock) {
    state = NIOLockedValueBox(State(book: book, throttle: Throttle(knownClients: knownClients.kept)))
    self.knownClients = knownClients
    self.clock = clock
  }

  var book: LoginBook { state.withLockedValue(\.book) }

  /// Goes by other logins from now on. Uses that were noted meanwhile are kept.
  func replace(_ book: LoginBook) {
    state.withLockedValue { state in
      var book = book
      book.noteUses(from: state.book)
      state.book = book
    }
  }

  func judge(
    _ login: Login, challenge: Challenge, from origin: Origin, at moment: ContinuousClock.Instant = .now
  ) -> Judgement {
    judge(
      login.proof(for: challenge), domain: TenantDomain(login.subject.domain), kinds: Logins.Kind.allCases, from: origin, as: login.subject,
      at: moment)
  }

  /// Whether the secret in somebody's PBX object is one of ours. Whoever asks is logged in; but this is a way to guess, so it is counted as one, and
  /// a device learns nothing about the secrets of administrators.
  func judge(
    _ check: AppCheckLogin, by asking: Logins.Kind?, from origin: Origin, at moment: ContinuousClock.Instant = .now
  ) -> Judgement {
    judge(
      check.proof, domain: check.domain.flatMap { TenantDomain($0) }, kinds: asking == .admin ? Logins.Kind.allCases : [.device], from: origin,
      as: nil, at: moment)
  }

  private func judge(
    _ proof: LoginProof, domain: TenantDomain?, kinds: [Logins.Kind], from origin: Origin, as subject: LoginDigest.Subject?,
    at moment: ContinuousClock.Instant
  ) -> Judgement {
    let book = book
    let now = clock.now()
    var candidates = book.candidates(domain: domain).filter { kinds.contains($0.kind) }
    let targets = Set(
      candidates.map { login -> Throttle.Subject in
        if case .domain(let own) = login.scope { .domain(own) } else { .instance }
      })
    let subjects = [origin.isShared ? .proxy : .source(origin.address.network)] + targets
    func caller(_ login: StoredLogin) -> Int? { subject.map { knownClients.number(of: $0, from: origin.address.network, by: login.name) } }
    if let pause = state.withLockedValue({ $0.throttle.pause(for: subjects, at: moment) }) {
      // A known client need not wait, but the only door for it is the one that it came in by.
      let callers = candidates.map { ($0, caller($0)) }
      candidates = state.withLockedValue { state in callers.filter { $0.1.map(state.throttle.knows) ?? false }.map(\.0) }
      if candidates.isEmpty { return .blocked(pause) }
    }
    // Hashing happens outside of the lock: other event loops have logins too.
    var found: (login: StoredLogin, secret: LoginSecret)?
    for login in candidates {
      // Every candidate is tried, whichever fits: the time tells nothing about which one did.
      for held in login.secrets where held.isValid(at: now) && proof.isMade(with: held.secret.value) { found = (login, held.secret) }
    }
    return state.withLockedValue { state in
      guard let found else {
        state.throttle.failed(subjects, by: candidates.compactMap(caller), at: moment)
        return .refused
      }
      if let known = caller(found.login) { state.throttle.succeeded(known) }
      state.book.noteUse(of: found.secret, login: found.login.name, at: now)
      return .admitted(found.login, by: found.secret)
    }
  }

  /// Keeps for the next process whom this one knows.
  func storeKnownClients() throws { try knownClients.store(state.withLockedValue(\.throttle.knownClients)) }

  /// Whether the secret still holds. It may have ended while it was looked for: whoever has been admitted is entered where the end of a login finds
  /// it, and then asks.
  func holds(_ secret: LoginSecret, of login: LoginName) -> Bool { book.holds(secret, of: login, at: clock.now()) }
}

import FoundationEssentials
import Logging
import PKI
import ResponderAPI
import ServiceRuntime
import Synchronization
import Telemetry

/// The tokens that are answered, kept so that the next process answers them too.
///
/// A lock, not an actor: a request is answered on the event loop that read it.
final class LiveTokens: Sendable {
  private struct State: ~Copyable {
    var table: TokenTable
    var log: LeaseLog
  }

  /// How much is kept of what a visitor is called.
  private static let longestName = 100

  private let state: Mutex<State>
  private let clock: WallClock
  private let logger: Logger

  /// Takes up the leases that earlier processes left.
  init(log url: URL, limits: LeaseLimits = LeaseLimits(), clock: WallClock = .system, logger: Logger) throws {
    self.clock = clock
    self.logger = logger
    var table = TokenTable(limits: limits)
    var log = LeaseLog(url)
    let now = clock.now()
    do {
      let (leases, badLines) = try log.read()
      for lease in leases { table.set(lease, now: now) }
      if badLines > 0 {
        logger.log(
          .fileDamaged, "lines of the log of leases made no sense and are dropped",
          metadata: [.file: url.path(percentEncoded: false), .count: badLines])
      }
    } catch {
      let aside = try log.setAside().path(percentEncoded: false)
      logger.log(.fileDamaged, "the log of leases cannot be read, and is set aside", error: error, metadata: [.file: aside])
    }
    table.sweep(now: now)
    try log.compact(to: table.leases(now: now))
    state = Mutex(State(table: table, log: log))
  }

  /// Answers a token from now on. When this returns, the next process does too.
  func publish(_ wish: Responder.Publish.Parameters) throws(Responder.NotPublished) {
    let now = clock.now()
    let stored = state.withLock { state -> Result<Void, Responder.NotPublished> in
      Result { () throws(Responder.NotPublished) in
        let lease = try state.table.publish(wish, now: now)
        do {
          try store(lease, in: &state, now: now)
        } catch {
          throw Responder.NotPublished(reason: "The lease for \(wish.name) could not be kept: \(error).", required: false)
        }
      }
    }
    try stored.get()
    logger.trace(
      .challenge, isOn: wish.trace?.isSampled ?? false, "token \(wish.token) is answered from now on, until \(wish.expires) at most",
      metadata: [.name: wish.name, .order: wish.order, .device: wish.device])
    RehearsedDeath.at("challenge-http.leaseStored")
  }

  /// Ends the lease of an order; one that is not there has ended already.
  /// - Returns: who has asked for the token.
  @discardableResult
  func withdraw(order: String, token: ChallengeToken) -> [Responder.Visit] {
    let now = clock.now()
    return state.withLock { state in
      let visits = state.table.token(token, now: now)?.visits ?? []
      guard let lease = state.table.withdraw(order: order, token: token, now: now) else { return visits }
      logger.trace(
        .challenge, isOn: lease.trace?.isSampled ?? false, "token \(token) is needed no more, and answered until \(lease.end)",
        metadata: [.name: lease.name, .order: order, .device: lease.device])
      do {
        try store(lease, in: &state, now: now)
      } catch {
        // It holds until its end then; nothing depends on its ending earlier.
        logger.log(.storingFailed, "a withdrawn lease could not be noted", error: error, metadata: [.order: order, .name: lease.name])
      }
      return visits
    }
  }

  private func store(_ lease: Lease, in state: inout State, now: Instant) throws {
    try state.log.append(lease)
    state.table.set(lease, now: now)
    guard state.log.isWorthCompacting else { return }
    state.table.sweep(now: now)
    do {
      try state.log.compact(to: state.table.leases(now: now))
    } catch {
      // The lease is stored; the log is only longer than it need be.
      logger.log(.storingFailed, "the log of leases could not be written anew, and grows on", error: error)
    }
  }

  /// The live token that a request asks for; it counts as a hit.
  func hit(_ token: ChallengeToken, from address: @autoclosure () -> String?) -> LiveToken? {
    let now = clock.now()
    return state.withLock { $0.table.hit(token, from: address().map { .init(address: $0, time: now) }, now: now) }
  }

  /// The live token that somebody looks up who was asked for it; it counts as a hit where it is said who that is.
  func lookUp(_ token: ChallengeToken, for parameters: Challenges.Lookup.Parameters) -> LiveToken? {
    guard let asker = parameters.asker, let address = parameters.address else { return self.token(token) }
    let now = clock.now()
    let visit = Responder.Visit(
      address: String(address.prefix(Self.longestName)), time: now, asker: String(asker.prefix(Self.longestName)))
    return state.withLock { $0.table.hit(token, from: visit, now: now) }
  }

  /// The token, if it is live.
  func token(_ token: ChallengeToken) -> LiveToken? {
    let now = clock.now()
    return state.withLock { $0.table.token(token, now: now) }
  }

  /// The lease that has what is asked of a host traced, if there is one.
  func tracedLease(of host: String) -> Lease? {
    guard state.withLock({ $0.table.isTracing }), let name = DNSName(String(host.prefix { $0 != ":" })) else { return nil }
    let now = clock.now()
    return state.withLock { $0.table.tracedLease(of: name, now: now) }
  }

  /// All live tokens.
  func live() -> [(token: ChallengeToken, value: LiveToken)] {
    let now = clock.now()
    return state.withLock { $0.table.live(now: now) }
  }
}

import PKI
import ResponderAPI
import Telemetry

/// Which tokens are answered with what, and until when: the rules, without clock, disk or network.
///
/// A change is decided first, as the lease that it leads to, and made by `set` when that lease is on disk.
struct TokenTable: Sendable {
  private let limits: LeaseLimits
  private var tokens: [ChallengeToken: LiveToken] = [:]
  private var leaseCount = 0
  /// The newest lease of each name that is traced.
  private var traced: [DNSName: Lease] = [:]
  /// With so many leases it is worth looking for those that have ended.
  private var nextSweep = 256

  init(limits: LeaseLimits = LeaseLimits()) {
    self.limits = limits
  }

  /// The lease that a Publish leads to. Whatever has ended makes room for it.
  mutating func publish(_ wish: Responder.Publish.Parameters, now: Instant) throws(Responder.NotPublished) -> Lease {
    func refused(_ reason: String) -> Responder.NotPublished { Responder.NotPublished(reason: reason, required: false) }
    guard wish.keyAuthorization.token == wish.token else {
      throw refused("The key authorization for \(wish.name) begins with another token than \(wish.token); publish the token's own.")
    }
    guard (1...limits.orderBytes).contains(wish.order.utf8.count) else {
      throw refused("The id of the order for \(wish.name) is empty or longer than \(limits.orderBytes) bytes; publish under a shorter one.")
    }
    guard wish.expires > now else { throw refused("The lease for \(wish.name) ended at \(wish.expires); publish one that ends later.") }
    let known = tokens[wish.token]
    if let known, known.end > now, known.keyAuthorization != wish.keyAuthorization || known.name != wish.name {
      throw refused("Token \(wish.token) is live for another name or account key than that of \(wish.name); withdraw it there first.")
    }
    if leaseCount >= limits.count { sweep(now: now) }
    guard known?.leases[wish.order] != nil || leaseCount < limits.count else {
      throw refused("There are \(limits.count) leases, and no room for \(wish.name); withdraw those that are not needed.")
    }
    return Lease(
      order: wish.order, token: wish.token, name: wish.name, keyAuthorization: wish.keyAuthorization,
      end: min(wish.expires, now + limits.duration), isWithdrawn: false, device: wish.device, trace: wish.trace)
  }

  /// The lease that a Withdraw leads to; nil if there is none to end.
  func withdraw(order: String, token: ChallengeToken, now: Instant) -> Lease? {
    guard var lease = tokens[token]?.leases[order], !lease.isWithdrawn, lease.end > now else { return nil }
    lease.isWithdrawn = true
    lease.end = min(lease.end, now + limits.grace)
    return lease
  }

  /// Makes a change. What has ended makes room, now and then.
  mutating func set(_ lease: Lease, now: Instant) {
    if leaseCount >= min(nextSweep, limits.count) { sweep(now: now) }
    if lease.trace?.isSampled == true { traced[lease.name] = lease } else { traced[lease.name] = nil }
    guard let known = tokens[lease.token], known.keyAuthorization == lease.keyAuthorization, known.name == lease.name else {
      leaseCount -= tokens[lease.token]?.leases.count ?? 0
      tokens[lease.token] = LiveToken(lease)
      leaseCount += 1
      return
    }
    if known.leases[lease.order] == nil { leaseCount += 1 }
    tokens[lease.token]?.set(lease)
  }

  /// Forgets what has ended.
  mutating func sweep(now: Instant) {
    leaseCount = 0
    tokens = tokens.compactMapValues { token in
      var token = token
      token.removeLeases(endedBy: now)
      leaseCount += token.leases.count
      return token.leases.isEmpty ? nil : token
    }
    traced = traced.filter { $0.value.end > now }
    nextSweep = max(256, 2 * leaseCount)
  }

  /// The live token that a request asks for; it counts as a hit.
  mutating func hit(_ token: ChallengeToken, from visit: @autoclosure () -> Responder.Visit?, now: Instant) -> LiveToken? {
    guard let index = tokens.index(forKey: token), tokens.values[index].end > now else { return nil }
    tokens.values[index].hit(visit())
    return tokens.values[index]
  }

  /// The token, if it is live.
  func token(_ token: ChallengeToken, now: Instant) -> LiveToken? {
    tokens[token].flatMap { $0.end > now ? $0 : nil }
  }

  /// Whether any name is traced.
  var isTracing: Bool { !traced.isEmpty }

  /// The lease that has what is asked of a name traced, if there is one.
  func tracedLease(of name: DNSName, now: Instant) -> Lease? {
    traced[name].flatMap { $0.end > now ? $0 : nil }
  }

  /// All live tokens.
  func live(now: Instant) -> [(token: ChallengeToken, value: LiveToken)] {
    tokens.filter { $0.value.end > now }.map { (token: $0.key, value: $0.value) }
  }

  /// All leases that have not ended.
  func leases(now: Instant) -> [Lease] {
    tokens.values.flatMap(\.leases.values).filter { $0.end > now }
  }
}

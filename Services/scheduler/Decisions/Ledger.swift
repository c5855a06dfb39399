import PKI

/// The limits of a CA; the standard ones are Let's Encrypt's (https://letsencrypt.org/docs/rate-limits/). Those of the endpoints are acme-client's.
struct AuthorityLimits: Hashable {

  var ordersPerAccount = RateLimit(count: 300, period: .seconds(3 * 3_600))
  var certificatesPerDomain = RateLimit(count: 50, period: .days(7))
  var certificatesPerSet = RateLimit(count: 5, period: .days(7))
  var failuresPerName = RateLimit(count: 5, period: .seconds(3_600))

  private var all: [RateLimit] { [ordersPerAccount, certificatesPerDomain, certificatesPerSet, failuresPerName] }

  /// The longest time for which the CA counts.
  var longestPeriod: Duration { all.map(\.period).max() ?? .zero }

  /// All of them as text, which differs where one does.
  var text: String { all.map { "\($0.count)/\($0.period.components.seconds)" }.joined(separator: " ") }

  func of(_ account: LedgerAccount) -> RateLimit {
    switch account {
    case .orders: ordersPerAccount
    case .domain: certificatesPerDomain
    case .set: certificatesPerSet
    case .failures: failuresPerName
    }
  }
}

/// What a CA counts.
enum LedgerAccount: Hashable {
  /// The orders of our account.
  case orders
  /// The certificates of a registered domain.
  case domain(DNSName)
  /// The certificates of exactly these names.
  case set(NameSet)
  /// The failed validations of a name.
  case failures(DNSName)

  /// Names, in whatever order.
  struct NameSet: Hashable {
    let hash: String

    init(_ names: [DNSName]) {
      let text = Set(names).map(\.value).sorted().joined(separator: ",")
      hash = Fingerprint(of: Array(text.utf8)).hex
    }

    init(hash: String) { self.hash = hash }
  }

  fileprivate var isOfFailures: Bool { if case .failures = self { true } else { false } }

  /// The limit in the words of a sentence.
  var description: String {
    switch self {
    case .orders: "the CA's limit on orders of an account"
    case .domain(let domain): "the CA's limit on certificates for \(domain)"
    case .set: "the CA's limit on certificates for exactly these names"
    case .failures(let name): "the CA's limit on failed validations of \(name)"
    }
  }
}

/// What an order counts for.
enum LedgerExemption: Hashable {
  case none
  /// The same names had a certificate before: it counts for their set only.
  case renewal
  /// It replaces a certificate inside the CA's window (RFC 9773): it counts for nothing.
  case renewalInWindow
}

/// What is left of the limits that one order touches.
struct Ledger: Hashable {
  private(set) var buckets: [LedgerAccount: TokenBucket]
  /// Since when it is known what is spent, where the state before was lost: by then all may have been.
  let knownSince: Instant?

  init(_ buckets: [LedgerAccount: TokenBucket], knownSince: Instant? = nil) {
    self.buckets = buckets
    self.knownSince = knownSince
    guard let knownSince else { return }
    self.buckets = buckets.mapValues { TokenBucket($0.limit, fullAt: max($0.fullAt, knownSince + $0.limit.period)) }
  }

  /// What an order for these names is charged to.
  static func charges(
    _ names: [DNSName], _ exemption: LedgerExemption, suffixes: PublicSuffixList
  ) -> [LedgerAccount] {
    switch exemption {
    case .renewalInWindow: []
    case .renewal: [.set(.init(names))]
    case .none:
      // A public suffix that is a name of its own counts as one domain.
      [.orders, .set(.init(names))] + Set(names.map { suffixes.registeredDomain(of: $0) ?? $0 }).sorted().map(LedgerAccount.domain)
    }
  }

  /// Which limit an order has to wait for, and until when its turn comes; nil if it can be made now. A part is kept for emergencies, which wait for each other only.
  /// - Parameter ahead: how many wait for a limit that are more urgent; for an emergency, how many such.
  func wait(
    for charges: [LedgerAccount], names: [DNSName], isEmergency: Bool, at now: Instant, ahead: [LedgerAccount: Int] = [:]
  ) -> (account: LedgerAccount, until: Instant)? {
    // A validation that fails is charged afterwards, so there must be room for it.
    let moments = (charges + names.map(LedgerAccount.failures)).map { account in
      (account: account, until: roomAt(account, isEmergency: isEmergency, at: now, ahead: ahead[account] ?? 0))
    }
    return moments.filter { $0.until > now }.max { $0.until < $1.until }
  }

  /// When a limit has room for one more than those `ahead`.
  func roomAt(_ account: LedgerAccount, isEmergency: Bool = false, at now: Instant, ahead: Int = 0) -> Instant {
    guard let bucket = buckets[account] else { return now }
    // What may have been spent keeps no certificate that is about to end from being renewed: the CA knows better.
    if isEmergency, let knownSince, now < knownSince + bucket.limit.period { return now }
    return bucket.readyAt(leaving: isEmergency || account.isOfFailures ? 0 : Self.reserve(of: bucket.limit.count), after: ahead, at: now)
  }

  /// How many of a limit are kept for certificates that are about to end: a tenth, and two of few.
  static func reserve(of count: Int) -> Int { count < 5 ? 0 : max(2, count / 10) }

  mutating func spend(_ charges: [LedgerAccount], at now: Instant) {
    for account in charges { buckets[account]?.spend(at: now) }
  }

  /// No certificate came of it: only certificates count for domains and sets, but the order counts if it was made.
  mutating func giveBack(_ charges: [LedgerAccount], isOrderMade: Bool = true) {
    for account in charges where account != .orders || !isOrderMade { buckets[account]?.giveBack() }
  }

  /// Limits that nothing was spent of yet.
  mutating func open(_ accounts: [LedgerAccount], by limits: AuthorityLimits) {
    for account in accounts where buckets[account] == nil {
      let limit = limits.of(account)
      buckets[account] = TokenBucket(limit, fullAt: knownSince.map { $0 + limit.period } ?? .earliest)
    }
  }

  /// Leaves out what has grown back by then.
  mutating func forget(fullAt moment: Instant) {
    buckets = buckets.filter { $0.value.fullAt > moment }
  }

  /// Of these limits only.
  func only(_ accounts: [LedgerAccount]) -> Ledger { Ledger(buckets.filter { accounts.contains($0.key) }, knownSince: knownSince) }

  mutating func holdBack(_ account: LedgerAccount, until moment: Instant, at now: Instant) {
    buckets[account]?.holdBack(until: moment, at: now)
  }

  /// Somebody insists: whatever was spent, there is room for one order now.
  mutating func makeRoom(at now: Instant) {
    for (account, bucket) in buckets { buckets[account]?.makeRoom(leaving: Self.reserve(of: bucket.limit.count), at: now) }
  }
}

extension LedgerAccount {
  /// Which limit the CA means, by the words of its problem document (Let's Encrypt says which, and names the name in quotes); nil where they do not tell.
  init?(explanation: String, names: [DNSName]) {
    let text = explanation.lowercased()
    let quoted = text.split(separator: "\"", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }
      .compactMap { DNSName(String($0.element)) }.first
    if text.contains("exact set") {
      self = .set(.init(names))
    } else if text.contains("new orders") {
      self = .orders
    } else if text.contains("failed authorizations"), let quoted {
      self = .failures(quoted)
    } else if text.contains("already issued for"), let quoted {
      self = .domain(quoted)
    } else {
      return nil
    }
  }
}

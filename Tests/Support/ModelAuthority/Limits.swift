import PKI

/// A limit of the CA's: so many in so much time, filled up evenly (Let's Encrypt's limits are such token buckets).
public struct Limit: Codable, Sendable, Hashable {
  /// What is counted.
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// New orders of an account.
    case ordersPerAccount
    /// Certificates of the same registered domain, which here is the last two labels.
    case certificatesPerDomain
    /// Certificates for exactly the same names.
    case certificatesPerExactSet
    /// Failed validations of a name by an account.
    case failuresPerName
  }

  /// What is counted.
  public var kind: Kind
  /// How many.
  public var count: Int
  /// In how many seconds.
  public var seconds: Int

  /// A limit.
  public init(_ kind: Kind, _ count: Int, per seconds: Int) {
    self.kind = kind
    self.count = count
    self.seconds = seconds
  }
}

/// What has been spent of each limit.
struct Ledger: Sendable {
  private struct Key: Hashable {
    let kind: Limit.Kind
    let about: String
  }

  /// Until when each bucket is still being filled up; it is full afterwards.
  private var filled: [Key: Instant] = [:]

  /// Seconds until one more fits, or nil if it does now.
  func wait(_ limit: Limit, about: String, now: Instant) -> Int? {
    let perOne = Duration.seconds(limit.seconds) / limit.count
    let backlog = max(.zero, (filled[Key(kind: limit.kind, about: about)] ?? now) - now)
    let over = backlog - perOne * (limit.count - 1)
    return over > .zero ? Int(over.components.seconds) + 1 : nil
  }

  mutating func spend(_ limit: Limit, about: String, now: Instant) {
    let key = Key(kind: limit.kind, about: about)
    filled[key] = max(now, filled[key] ?? now) + Duration.seconds(limit.seconds) / limit.count
  }
}

extension Books {
  /// Refuses what is over a limit.
  func checkLimits(_ kinds: Set<Limit.Kind>, _ account: String, _ names: Set<String>, now: Instant) throws {
    for limit in manners.limits where kinds.contains(limit.kind) {
      let waits = subjects(of: limit, account, names).compactMap { about in
        ledger.wait(limit, about: about, now: now).map { (about: about, seconds: $0) }
      }
      guard let longest = waits.max(by: { $0.seconds < $1.seconds }) else { continue }
      throw Refusal(
        "rateLimited", status: 429,
        "too many \(limit.kind.rawValue) (\(limit.count)) for \(longest.about) in the last \(limit.seconds)s, retry after \(now + .seconds(longest.seconds))",
        retryAfter: "\(longest.seconds)", links: ["help": "https://letsencrypt.org/docs/rate-limits"])
    }
  }

  /// Charges what has happened.
  mutating func spend(_ kinds: Set<Limit.Kind>, _ account: String, _ names: Set<String>, now: Instant) {
    for limit in manners.limits where kinds.contains(limit.kind) {
      for about in subjects(of: limit, account, names) { ledger.spend(limit, about: about, now: now) }
    }
  }

  private func subjects(of limit: Limit, _ account: String, _ names: Set<String>) -> Set<String> {
    switch limit.kind {
    case .ordersPerAccount: ["account \(account)"]
    case .certificatesPerDomain: Set(names.map { $0.split(separator: ".").suffix(2).joined(separator: ".") })
    case .certificatesPerExactSet: [names.sorted().joined(separator: ",")]
    case .failuresPerName: Set(names.map { "\($0) of account \(account)" })
    }
  }
}

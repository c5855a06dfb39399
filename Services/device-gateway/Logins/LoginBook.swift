import DeviceGatewayAPI
import PKI

/// All logins, and the rules by which they change. A value: what is not stored has not happened.
struct LoginBook: Codable, Sendable {
  /// Verifying tries every login that could be meant, so their number is a bound on the time of one attempt.
  static let capacity = 2000
  /// The current secret and those that still overlap with it.
  static let secretsPerLogin = 4

  private(set) var logins: [LoginName: StoredLogin] = [:]

  var isEmpty: Bool { logins.isEmpty }

  /// In the order of the alphabet.
  var sorted: [StoredLogin] { logins.values.sorted { $0.name < $1.name } }

  /// Makes a login. One that is the same already, with the same secret, is what was asked for: a call may come twice.
  mutating func add(_ login: StoredLogin) throws(Logins.Refused) -> StoredLogin {
    if let present = logins[login.name] {
      guard present.isSame(as: login) else {
        throw Logins.Refused(error: .exists, text: "There is a login \(login.name) already; rotate its secret, or remove it first.")
      }
      return present
    }
    for held in login.secrets { try checkUnused(held.secret, except: login.name) }
    guard logins.count < Self.capacity else {
      throw Logins.Refused(error: .tooMany, text: "There are \(Self.capacity) logins, the most there can be; remove some.")
    }
    logins[login.name] = login
    return login
  }

  /// Gives a login a new secret. Those before it hold until `overlapUntil`, or end now; so they do if it is the current one already.
  mutating func rotate(_ name: LoginName, to secret: LoginSecret, overlapUntil: Instant?, at now: Instant) throws(Logins.Refused) -> StoredLogin {
    guard var login = logins[name] else { throw Self.unknown(name.value) }
    try checkUnused(secret, except: name)
    // Some of the earlier ones may overlap already; none holds longer than it was promised.
    let end = overlapUntil ?? now
    let current = login.secrets.first.flatMap { $0.secret == secret ? $0 : nil } ?? StoredLogin.HeldSecret(secret: secret, createdAt: now)
    for index in login.secrets.indices { login.secrets[index].validUntil = min(end, login.secrets[index].validUntil ?? end) }
    login.secrets.removeAll { $0.secret == secret || !$0.isValid(at: now) }
    login.secrets = [current] + login.secrets.prefix(Self.secretsPerLogin - 1)
    logins[name] = login
    return login
  }

  /// Ends a login, if there is one. The last one of its kind stays: without it no device, or no administrator, could come in, and nobody would see
  /// why.
  mutating func remove(_ name: LoginName) throws(Logins.Refused) {
    guard let login = logins[name] else { return }
    guard logins.values.contains(where: { $0.kind == login.kind && $0.name != name }) else {
      throw Logins.Refused(
        error: .lastLogin, text: "\(name) is the last login of kind \(login.kind.rawValue); add another one before you remove it.")
    }
    logins[name] = nil
  }

  /// The logins whose secrets an `AppLogin` of that domain may have been made with.
  func candidates(domain: TenantDomain?) -> some Sequence<StoredLogin> {
    logins.values.lazy.filter { login in
      switch login.scope {
      case .instance, .device: true
      case .domain(let own): own == domain
      }
    }
  }

  /// Whether the login is there and has this secret, which has not ended.
  func holds(_ secret: LoginSecret, of name: LoginName, at now: Instant) -> Bool {
    logins[name]?.secrets.contains { $0.secret == secret && $0.isValid(at: now) } ?? false
  }

  /// When the next overlap is over.
  func nextEnd(after now: Instant) -> Instant? {
    logins.values.lazy.flatMap(\.secrets).compactMap(\.validUntil).filter { $0 > now }.min()
  }

  /// Notes that a secret was used.
  mutating func noteUse(of secret: LoginSecret, login name: LoginName, at now: Instant) {
    guard let index = logins[name]?.secrets.firstIndex(where: { $0.secret == secret }) else { return }
    logins[name]?.secrets[index].lastUsedAt = now
  }

  /// Takes over when secrets were last used.
  mutating func noteUses(from book: LoginBook) {
    for login in book.logins.values {
      for held in login.secrets {
        if let moment = held.lastUsedAt { noteUse(of: held.secret, login: login.name, at: moment) }
      }
    }
  }

  /// The secret decides as what its holder comes in, so no two logins have the same.
  private func checkUnused(_ secret: LoginSecret, except name: LoginName) throws(Logins.Refused) {
    guard !logins.values.contains(where: { $0.name != name && $0.secrets.contains { $0.secret == secret } }) else {
      throw Logins.Refused(error: .badSecret, text: "Another login has this secret; choose another one.")
    }
  }

  static func unknown(_ name: String) -> Logins.Refused {
    Logins.Refused(error: .notFound, text: "There is no login \(name).")
  }
}

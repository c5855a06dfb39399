import DeviceGatewayAPI
import PKI

/// A secret with a scope: who knows it may come in, as what, and for which names.
struct StoredLogin: Codable, Sendable {
  /// For whom it opens the door.
  enum Scope: Codable, Sendable, Hashable {
    case instance
    case domain(TenantDomain)
    case device
  }

  /// One secret of it.
  struct HeldSecret: Codable, Sendable {
    let secret: LoginSecret
    let createdAt: Instant
    /// Nil for the current one.
    var validUntil: Instant?
    var lastUsedAt: Instant?

    func isValid(at now: Instant) -> Bool { validUntil.map { now < $0 } ?? true }
  }

  let name: LoginName
  let scope: Scope
  let kind: Logins.Kind
  /// Empty: any name.
  let nameSuffixes: [DNSName]
  /// Newest first; the first is the current one.
  var secrets: [HeldSecret]

  /// Whether it opens the same for the same people, with the same current secret.
  func isSame(as other: StoredLogin) -> Bool {
    name == other.name && scope == other.scope && kind == other.kind && nameSuffixes == other.nameSuffixes
      && secrets.first?.secret == other.secrets.first?.secret
  }

  /// The scope as the scheduler knows it.
  var schedulerScope: String {
    switch scope {
    case .instance: "instance"
    case .domain(let domain): "domain:\(domain)"
    case .device: "device:\(name)"
    }
  }

  /// The login as administrators see it.
  var view: Logins.Login {
    let (scope, domain): (Logins.Scope, String?) =
      switch self.scope {
      case .instance: (.instance, nil)
      case .domain(let domain): (.domain, domain.value)
      case .device: (.device, nil)
      }
    return Logins.Login(
      name: name.value, scope: scope, kind: kind, domain: domain, nameSuffixes: nameSuffixes.map(\.value),
      secrets: secrets.map { Logins.Secret(createdAt: $0.createdAt, validUntil: $0.validUntil, lastUsedAt: $0.lastUsedAt) })
  }
}

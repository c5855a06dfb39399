import DeviceGatewayAPI
import PKI
import Varlink

/// `org.acmeconnector.Logins` as administrators call it: their texts become types here, and nowhere else.
struct LoginsInterface: Sendable {
  let store: LoginStore
  /// Closes the connections of those whose login, or whose secret, has ended.
  let closeEnded: @Sendable () -> Void
  /// How devices reach the gateway.
  let describe: @Sendable () async -> Logins.Describe.Reply
  let clock: WallClock

  var handlers: VarlinkInterfaceHandlers {
    VarlinkInterfaceHandlers(
      .logins,
      [
        .list(Logins.List.self) { call in
          store.views.filter { login in (call.name.map { login.name == $0 } ?? true) && (call.after.map { login.name > $0 } ?? true) }
        },
        .reply(Logins.Add.self) { parameters, _ in try await add(parameters) },
        .reply(Logins.Rotate.self) { parameters, _ in try await rotate(parameters) },
        .reply(Logins.Remove.self) { parameters, _ in try await remove(parameters) },
        .reply(Logins.Describe.self) { _, _ in await describe() },
      ])
  }

  private func add(_ parameters: Logins.Add.Parameters) async throws -> Logins.Changed {
    let login = StoredLogin(
      name: try name(parameters.name), scope: try scope(parameters), kind: parameters.kind, nameSuffixes: try suffixes(parameters.nameSuffixes),
      secrets: [.init(secret: try secret(parameters.secret), createdAt: clock.now())])
    return Logins.Changed(login: try await store.add(login).view)
  }

  private func rotate(_ parameters: Logins.Rotate.Parameters) async throws -> Logins.Changed {
    let secret = try secret(parameters.secret)
    guard let name = LoginName(parameters.name) else { throw LoginBook.unknown(parameters.name) }
    let login = try await store.rotate(name, to: secret, overlapUntil: parameters.overlapUntil)
    closeEnded()
    return Logins.Changed(login: login.view)
  }

  private func remove(_ parameters: Logins.Remove.Parameters) async throws -> NoMembers {
    // What can be no login's name is the name of none.
    guard let name = LoginName(parameters.name) else { return NoMembers() }
    try await store.remove(name)
    closeEnded()
    return NoMembers()
  }

  /// A login with all its suffixes still fits a message.
  private static let mostSuffixes = 100

  private func name(_ text: String) throws(Logins.Refused) -> LoginName {
    guard let name = LoginName(text) else {
      throw Logins.Refused(error: .badName, text: "A login's name has 1 to 64 letters, digits, dots, hyphens, underscores or at signs.")
    }
    return name
  }

  private func secret(_ text: String) throws(Logins.Refused) -> LoginSecret {
    guard let secret = LoginSecret(text) else {
      throw Logins.Refused(error: .badSecret, text: "A secret has 1 to 63 printable ASCII characters.")
    }
    return secret
  }

  private func scope(_ parameters: Logins.Add.Parameters) throws(Logins.Refused) -> StoredLogin.Scope {
    switch (parameters.scope, parameters.domain) {
    case (.instance, nil): return .instance
    case (.device, nil): return .device
    case (.domain, let text?):
      guard let domain = TenantDomain(text) else {
        throw Logins.Refused(error: .badDomain, text: "A domain has 1 to 253 characters, without blanks and colons.")
      }
      return .domain(domain)
    case (.domain, nil):
      throw Logins.Refused(error: .badDomain, text: "A login of scope domain needs its domain.")
    case (_, _?):
      throw Logins.Refused(error: .badDomain, text: "Only a login of scope domain has a domain.")
    }
  }

  private func suffixes(_ texts: [String]) throws(Logins.Refused) -> [DNSName] {
    guard texts.count <= Self.mostSuffixes else {
      throw Logins.Refused(error: .badSuffix, text: "A login is limited to at most \(Self.mostSuffixes) suffixes.")
    }
    var names: [DNSName] = []
    for text in texts {
      guard let name = DNSName(text) else {
        throw Logins.Refused(error: .badSuffix, text: "\(text.prefix(100)) is no DNS name in A-labels, as example.com.")
      }
      names.append(name)
    }
    return names
  }
}

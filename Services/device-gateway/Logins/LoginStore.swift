import DeviceGatewayAPI
import Logging
import PKI
import ServiceRuntime
import Telemetry
import Varlink

/// Owns the logins: every change is on disk before it counts, and before the administrator is told.
actor LoginStore {
  nonisolated let authenticator: Authenticator
  private let file: LoginsFile
  private let clock: WallClock
  private let logger: Logger

  /// Opens the store. An empty one takes its first logins from the credentials `device` and `admin`.
  init(in environment: ServiceEnvironment, clock: WallClock = .system) throws {
    file = try LoginsFile(in: environment)
    self.clock = clock
    logger = environment.logger
    var book = try file.load()
    if book.isEmpty {
      book = try Self.seeds(from: environment.credentials, at: clock.now())
      if !book.isEmpty { try file.store(book) }
      for login in book.sorted { logger.log(.loginAdded, "login made from its credential", metadata: [.login: login.name]) }
    }
    if book.isEmpty {
      environment.logger.log(.loginMissing, "there is no login, so no device can come in; add one with acme-connector logins add")
    }
    authenticator = Authenticator(book, knownClients: KnownClients(in: environment.stateDirectory), clock: clock)
  }

  /// All logins, as administrators see them.
  nonisolated var views: [Logins.Login] { authenticator.book.sorted.map(\.view) }

  func add(_ login: StoredLogin) throws -> StoredLogin {
    try change(login.name, as: .loginAdded, "login made") { book throws(Logins.Refused) in try book.add(login) }
  }

  func rotate(_ name: LoginName, to secret: LoginSecret, overlapUntil: Instant?) throws -> StoredLogin {
    let now = clock.now()
    return try change(name, as: .loginRotated, "login has a new secret") { book throws(Logins.Refused) in
      try book.rotate(name, to: secret, overlapUntil: overlapUntil, at: now)
    }
  }

  func remove(_ name: LoginName) throws {
    try change(name, as: .loginRemoved, "login removed") { book throws(Logins.Refused) in try book.remove(name) }
  }

  /// Keeps when secrets were last used, and whom the door knows: worth a write at the end, not one for every login.
  func storeUses() throws {
    try file.store(authenticator.book)
    try authenticator.storeKnownClients()
  }

  /// Every change is noted with its author, and a second time if it is asked for again: the process may have died before the first.
  private func change<Result>(
    _ login: LoginName, as event: JournalEvent, _ what: Logger.Message, _ body: (inout LoginBook) throws(Logins.Refused) -> Result
  ) throws -> Result {
    var book = authenticator.book
    let result = try body(&book)
    try file.store(book)
    RehearsedDeath.at("device-gateway.loginsStored")
    authenticator.replace(book)
    logger.log(event, what, metadata: [.login: login, .uid: PeerCredentials.caller?.userID])
    return result
  }

  private static func seeds(from credentials: Credentials, at now: Instant) throws -> LoginBook {
    var book = LoginBook()
    for kind in Logins.Kind.allCases {
      guard let content = try credentials.read(kind.rawValue), let name = LoginName(kind.rawValue) else { continue }
      guard let secret = LoginSecret(fileContent: content) else {
        throw ServiceRuntimeError.launch("credential \(kind.rawValue)", cause: "is no secret of 1 to 63 printable ASCII characters")
      }
      _ = try book.add(
        StoredLogin(name: name, scope: .instance, kind: kind, nameSuffixes: [], secrets: [.init(secret: secret, createdAt: now)]))
    }
    return book
  }
}

import ACMEClientAPI
import Logging
import PKI
import ServiceRuntime
import Telemetry

/// Opens an authority for a caller: its directory, the key, and the account, which is made or recovered by its key where it is not known.
actor Accounts {
  /// Where a key is, for one authority.
  private struct Place: Hashable {
    let uri: String?
    let directory: ResourceURL
  }

  private struct Holder: Hashable {
    let directory: ResourceURL
    let thumbprint: String
  }

  let keys: AccountKeys
  let logger: Logger
  /// Orders use an account; its key, and its end, are changed while there are none: the answers to challenges hang on the key.
  nonisolated let turns = ReadWriteLock()
  private let directories: Directories
  private let book: AccountBook
  private let credentials: Credentials
  private let opening = KeyedMutex<Place>()
  private var known: [Holder: AccountEntry] = [:]
  /// The contacts that a CA has refused: it is not told the same again.
  private var refusedContacts: [Holder: [String]] = [:]

  init(directories: Directories, keys: AccountKeys, book: AccountBook, credentials: Credentials, logger: Logger) {
    self.directories = directories
    self.keys = keys
    self.book = book
    self.credentials = credentials
    self.logger = logger
  }

  /// The authority, ready for signed requests.
  func session(with authority: Authority) async throws -> AuthoritySession {
    let (session, entry) = try await open(authority)
    try requireInUse(entry, of: authority)
    return session
  }

  /// - Throws: an ``ACMEError`` that says how to have another account, if this one has ended.
  func requireInUse(_ entry: AccountEntry, of authority: Authority) throws {
    guard entry.end != nil else { return }
    let way = keys.wayToAnother(uri: authority.accountKey, directory: entry.directory)
    throw ACMEError(.accountEnded, entry.url.value, "the account was deactivated, for good; to have a new one, \(way): the next order makes it")
  }

  /// The authority and its account, whatever has become of that.
  func open(_ authority: Authority) async throws -> (session: AuthoritySession, entry: AccountEntry) {
    try await alone(authority) { connection in
      _ = try await self.decideKeyChange(authority, over: connection)
      var opened = try await self.open(authority, over: connection)
      if opened.entry.end == nil { opened.entry = try await self.tellContactInPassing(opened.session, opened.entry) }
      return opened
    }
  }

  /// Runs `body` with the connection to an authority while nobody else is at its account.
  func alone<Value: Sendable>(_ authority: Authority, _ body: @Sendable (AuthorityConnection) async throws -> Value) async throws -> Value {
    let connection = try await directories.connection(to: authority.directory, trustRoots: authority.trustRoots)
    return try await opening.withLock(Place(uri: authority.accountKey, directory: connection.url)) { try await body(connection) }
  }

  /// The key and the account, both made where there are none.
  func open(
    _ authority: Authority, over connection: AuthorityConnection
  ) async throws -> (session: AuthoritySession, entry: AccountEntry) {
    let (key, isNew) = try await keys.key(uri: authority.accountKey, directory: connection.url)
    if isNew {
      if book.knowsAccount(at: connection.url) {
        logger.log(.accountLost, "the key of the account is gone; another key and another account are made", metadata: [.directory: connection.url])
      }
      logger.log(.keyMade, "key made for an account at the CA", metadata: [.directory: connection.url])
    }
    let entry: AccountEntry
    if let known = try self.entry(of: key.publicKey.thumbprint, at: connection.url) {
      entry = known
    } else {
      entry = try await makeOrRecover(authority, connection, key, isNew: isNew)
      try keep(entry)
    }
    return (AuthoritySession(authority: authority, connection: connection, key: key, account: entry.url), entry)
  }

  /// The account that an order would use, if there is one already: nothing is made, and nobody asked.
  func known(uri: String?, directory: ResourceURL) async throws -> ResourceURL? {
    guard let key = try await keys.existing(uri: uri, directory: directory) else { return nil }
    return try entry(of: key.publicKey.thumbprint, at: directory)?.url
  }

  /// The CA does not know the account any more: the next session has a new one.
  func forget(_ session: AuthoritySession) throws {
    logger.log(
      .accountLost, "the CA does not know the account, a new one is made", metadata: [.directory: session.connection.url, .account: session.account])
    // Another caller may have made the new one already.
    guard try entry(of: session.thumbprint, at: session.connection.url)?.url == session.account else { return }
    try forget(session.thumbprint, at: session.connection.url)
  }

  /// The CA failed in a way that an outdated directory may be to blame for.
  func directoryMayBeOutdated(_ authority: Authority) async {
    await directories.forget(authority.directory, trustRoots: authority.trustRoots)
  }

  /// The account that a key has at the CA already (RFC 8555, section 7.3.1); nil if it has none.
  func recover(_ connection: AuthorityConnection, _ key: any AccountKey) async throws -> (url: ResourceURL, contact: [String]?)? {
    do {
      return try await post(NewAccount(onlyReturnExisting: true), connection, key)
    } catch let error as ACMEError where error.document?.type == .accountDoesNotExist {
      return nil
    }
  }

  private func makeOrRecover(
    _ authority: Authority, _ connection: AuthorityConnection, _ key: any AccountKey, isNew: Bool
  ) async throws -> AccountEntry {
    let wanted = Contact.urls(authority.contact)
    if !isNew, let found = try await recover(connection, key) {
      logger.log(.accountRecovered, "account recovered by its key", metadata: [.directory: connection.url, .account: found.url])
      // Where no contact is set, whoever made the account has perhaps told one, and it stays.
      return AccountEntry(
        directory: connection.url, thumbprint: key.publicKey.thumbprint, url: found.url, contact: wanted.isEmpty ? nil : found.contact)
    }
    if let terms = connection.directory.meta?.termsOfService, !authority.termsAgreed {
      var error = ACMEError(
        .termsNotAgreed, connection.url.value, "nobody has agreed to the CA's terms of service (\(terms)); read them and set authority.termsAgreed")
      error.help = terms
      throw error
    }
    var request = NewAccount()
    request.contact = wanted
    request.termsOfServiceAgreed = authority.termsAgreed ? true : nil
    request.externalAccountBinding = try externalAccount(connection).map {
      JSONWebSignature(binding: key.publicKey, to: $0, newAccount: connection.directory.newAccount)
    }
    let url = try await post(request, connection, key).url
    logger.log(.accountMade, "account made", metadata: [.directory: connection.url, .account: url])
    return AccountEntry(directory: connection.url, thumbprint: key.publicKey.thumbprint, url: url, contact: wanted)
  }

  private func externalAccount(_ connection: AuthorityConnection) throws -> ExternalAccount? {
    let account = try ExternalAccount.read(from: credentials, for: connection.url)
    guard account != nil || connection.directory.meta?.externalAccountRequired != true else {
      throw ACMEError(
        .accountNeeded, connection.url.value,
        "the CA wants an external account (RFC 8555, section 7.3.4); hand over its kid and key as credential \(ExternalAccount.credential)")
    }
    return account
  }

  private func post(
    _ request: NewAccount, _ connection: AuthorityConnection, _ key: any AccountKey
  ) async throws -> (url: ResourceURL, contact: [String]?) {
    let url = connection.directory.newAccount
    let response = try await connection.post(.newAccount, url, try .encoding(request), as: .key, by: key)
    guard let account = response.location(of: url) else {
      throw ACMEError(.badAnswer, url.value, "the CA gave no URL of the account (RFC 8555, section 7.3)")
    }
    // The object itself is not needed.
    return (account, (try? response.decode(Account.self, from: url))?.contact)
  }

  // MARK: - What is known

  /// The account of a key, if one is known.
  func entry(of thumbprint: String, at directory: ResourceURL) throws -> AccountEntry? {
    let holder = Holder(directory: directory, thumbprint: thumbprint)
    if let entry = known[holder] { return entry }
    known[holder] = try book.entry(of: thumbprint, at: directory)
    return known[holder]
  }

  /// Keeps an account. It is on disk when this returns.
  func keep(_ entry: AccountEntry) throws {
    try book.note(entry)
    known[Holder(directory: entry.directory, thumbprint: entry.thumbprint)] = entry
  }

  /// Forgets the account of a key.
  func forget(_ thumbprint: String, at directory: ResourceURL) throws {
    known[Holder(directory: directory, thumbprint: thumbprint)] = nil
    try book.forget(thumbprint, at: directory)
  }

  /// Whether the CA has refused these contacts already.
  func hasRefused(_ contact: [String], of entry: AccountEntry) -> Bool {
    refusedContacts[Holder(directory: entry.directory, thumbprint: entry.thumbprint)] == contact
  }

  /// The CA has refused these contacts.
  func noteRefusal(of contact: [String], of entry: AccountEntry) {
    refusedContacts[Holder(directory: entry.directory, thumbprint: entry.thumbprint)] = contact
  }
}

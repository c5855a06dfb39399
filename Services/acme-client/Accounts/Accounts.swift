import ACMEClientAPI
import Logging
import PKI
import ServiceRuntime
import Telemetry

/// Opens an authority for a caller: its directory, the key, and the account, which is made or recovered by its key where it is not known.
actor Accounts {
  private struct Holder: Hashable {
    let directory: ResourceURL
    let thumbprint: String
  }

  private let directories: Directories
  private let keys: AccountKeys
  private let book: AccountBook
  private let credentials: Credentials
  private let logger: Logger
  private let opening = OneAtATime<Holder>()
  private var known: [Holder: ResourceURL] = [:]

  init(directories: Directories, keys: AccountKeys, book: AccountBook, credentials: Credentials, logger: Logger) {
    self.directories = directories
    self.keys = keys
    self.book = book
    self.credentials = credentials
    self.logger = logger
  }

  /// The authority, ready for signed requests.
  func session(with authority: Authority) async throws -> AuthoritySession {
    let connection = try await directories.connection(to: authority.directory, trustRoots: authority.trustRoots)
    let (key, isNew) = try await keys.key(uri: authority.accountKey, directory: connection.url)
    if isNew { logger.log(.keyMade, "key made for an account at the CA", metadata: [.directory: connection.url]) }
    let holder = Holder(directory: connection.url, thumbprint: key.publicKey.thumbprint)
    let account = try await opening.run(holder) {
      if let account = try await self.account(of: holder) { return account }
      let account = try await self.open(authority, connection, key, isNew: isNew)
      try await self.note(account, of: holder)
      return account
    }
    return AuthoritySession(authority: authority, connection: connection, key: key, account: account)
  }

  /// The CA does not know the account any more: the next session has a new one.
  func forget(_ session: AuthoritySession) throws {
    logger.log(
      .accountLost, "the CA does not know the account, a new one is made", metadata: [.directory: session.connection.url, .account: session.account])
    let holder = Holder(directory: session.connection.url, thumbprint: session.thumbprint)
    // Another caller may have made the new one already.
    guard try account(of: holder) == session.account else { return }
    known[holder] = nil
    try book.forget(holder.thumbprint, at: holder.directory)
  }

  /// The CA failed in a way that an outdated directory may be to blame for.
  func directoryMayBeOutdated(_ authority: Authority) async {
    await directories.forget(authority.directory, trustRoots: authority.trustRoots)
  }

  private func account(of holder: Holder) throws -> ResourceURL? {
    if let account = known[holder] { return account }
    known[holder] = try book.account(of: holder.thumbprint, at: holder.directory)
    return known[holder]
  }

  private func note(_ account: ResourceURL, of holder: Holder) throws {
    try book.note(account, of: holder.thumbprint, at: holder.directory)
    known[holder] = account
  }

  private func open(_ authority: Authority, _ connection: AuthorityConnection, _ key: any AccountKey, isNew: Bool) async throws -> ResourceURL {
    if !isNew, let account = try await recover(connection, key) { return account }
    let meta = connection.directory.meta
    if let terms = meta?.termsOfService, !authority.termsAgreed {
      var error = ACMEError(
        .termsNotAgreed, connection.url.value, "nobody has agreed to the CA's terms of service (\(terms)); read them and set authority.termsAgreed")
      error.help = terms
      throw error
    }
    var request = NewAccount()
    request.contact = Contact.urls(authority.contact)
    request.termsOfServiceAgreed = authority.termsAgreed ? true : nil
    request.externalAccountBinding = try externalAccount(connection).map {
      JSONWebSignature(binding: key.publicKey, to: $0, newAccount: connection.directory.newAccount)
    }
    let account = try await post(request, connection, key)
    logger.log(.accountMade, "account made", metadata: [.directory: connection.url, .account: account])
    return account
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

  /// The account that the key has already (RFC 8555, section 7.3.1).
  private func recover(_ connection: AuthorityConnection, _ key: any AccountKey) async throws -> ResourceURL? {
    do {
      let account = try await post(NewAccount(onlyReturnExisting: true), connection, key)
      logger.log(.accountRecovered, "account recovered by its key", metadata: [.directory: connection.url, .account: account])
      return account
    } catch let error as ACMEError where error.document?.type == .accountDoesNotExist {
      return nil
    }
  }

  private func post(_ request: NewAccount, _ connection: AuthorityConnection, _ key: any AccountKey) async throws -> ResourceURL {
    let url = connection.directory.newAccount
    let response = try await connection.post(.newAccount, url, try .encoding(request), as: .key, by: key)
    guard let account = response.location(of: url) else {
      throw ACMEError(.badAnswer, url.value, "the CA gave no URL of the account (RFC 8555, section 7.3)")
    }
    return account
  }
}

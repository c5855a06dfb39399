import ACMEClientAPI
import Logging
import PKI
import ServiceRuntime
import Telemetry

// What an administrator has done with an account (RFC 8555, sections 7.3.2 and 7.3.6).
extension Accounts {
  /// The account as the CA shows it; one that has ended as it is remembered, for the CA talks about it no more.
  func describe(_ authority: Authority) async throws -> ACMEClient.Account {
    let (session, entry) = try await open(authority)
    guard entry.end == nil else { return ACMEClient.Account(entry) }
    let account = try await session.get(.account, entry.url).decode(Account.self, from: entry.url)
    return ACMEClient.Account(entry, status: account.status, contact: account.contact)
  }

  /// Tells the CA the contacts that are set, whether or not they have changed.
  func update(_ authority: Authority) async throws -> ACMEClient.Account {
    try await alone(authority) { connection in
      _ = try await self.decideKeyChange(authority, over: connection)
      let (session, entry) = try await self.open(authority, over: connection)
      try await self.requireInUse(entry, of: authority)
      let (kept, account) = try await self.tell(Contact.urls(authority.contact), session, entry)
      return ACMEClient.Account(kept, status: account.status, contact: account.contact)
    }
  }

  /// Tells the CA the contacts where they are others than it was told last. No order fails because of it.
  func tellContactInPassing(_ session: AuthoritySession, _ entry: AccountEntry) async throws -> AccountEntry {
    let wanted = Contact.urls(session.authority.contact)
    guard wanted != entry.contact ?? [], !hasRefused(wanted, of: entry) else { return entry }
    do {
      return try await tell(wanted, session, entry).entry
    } catch let error as ACMEError {
      logger.notice("the CA was not told the new contact", error: error, metadata: [.directory: entry.directory, .account: entry.url])
      if !error.isTransient { noteRefusal(of: wanted, of: entry) }
      return entry
    }
  }

  private func tell(
    _ contact: [String], _ session: AuthoritySession, _ entry: AccountEntry
  ) async throws -> (entry: AccountEntry, account: Account) {
    let response = try await session.post(.account, entry.url, .encoding(AccountUpdate(contact: contact)))
    let account = try response.decode(Account.self, from: entry.url)
    var entry = entry
    entry.contact = contact
    try keep(entry)
    logger.log(.accountUpdated, "the CA was told how to reach a person", metadata: [.directory: entry.directory, .account: entry.url])
    return (entry, account)
  }

  /// Ends the account for good, when the orders that are under way have ended. That it is wanted is on disk before the CA is told, so that one that
  /// may have heard is told again, and its refusal is known for what it is.
  func deactivate(_ authority: Authority) async throws -> ACMEClient.Account {
    try await changing {
      let (session, found) = try await self.open(authority)
      return ACMEClient.Account(try await self.deactivate(found, session))
    }
  }

  private func deactivate(_ found: AccountEntry, _ session: AuthoritySession) async throws -> AccountEntry {
    guard found.end != .certain else { return found }
    var entry = found
    entry.end = .wanted
    try keep(entry)
    RehearsedDeath.at("acme-client.deactivationStored")
    do {
      _ = try await session.post(.account, entry.url, .encoding(AccountUpdate(status: "deactivated")))
      RehearsedDeath.at("acme-client.accountDeactivated")
    } catch let error as ACMEError where found.end == .wanted && error.document?.type == .unauthorized {
      logger.info("the CA takes no request for the account any more: it has heard before", metadata: [.account: entry.url])
    } catch let error as ACMEError {
      if found.end == nil, error.meansNothingDone || error.isUnsent { try keep(found) }
      throw error
    }
    entry.end = .certain
    try keep(entry)
    logger.log(.accountDeactivated, "account deactivated", metadata: [.directory: entry.directory, .account: entry.url])
    return entry
  }

  /// Runs `body` when no order is under way; those that come meanwhile wait.
  func changing<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
    do {
      return try await turns.write(patience: .seconds(60), body)
    } catch is ReadWriteLock.StillInUse {
      throw ACMEError(.inUse, "account", "orders are under way that need it as it is, and did not end within a minute; try again later")
    }
  }
}

extension ACMEClient.Account {
  /// An account in use as the CA shows it, or one that has ended as it is remembered.
  init(_ entry: AccountEntry, status: String = "deactivated", contact: [String]? = nil) {
    self.init(url: entry.url.value, status: status, contact: contact ?? entry.contact ?? [], thumbprint: entry.thumbprint)
  }
}

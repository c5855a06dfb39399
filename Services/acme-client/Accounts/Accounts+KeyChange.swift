import ACMEClientAPI
import Logging
import PKI
import ServiceRuntime
import Telemetry

// Another key for an account (RFC 8555, section 7.3.5).
//
// The new key is on disk before the CA hears of it, beside the old one. Both stay until it is known which one the CA takes: by its answer, or, if that
// was lost, by asking it for the account of the new key. Only then does the new key take the old one's place.
extension Accounts {
  /// What has come of a change that was interrupted.
  enum KeyChangeVerdict: Sendable {
    /// There was none.
    case nothing
    /// The CA takes the new key, which is in its place.
    case made
    /// The CA does not take the new key, which is gone.
    case notMade
  }

  /// Gives the account a new key, when the orders that are under way have ended.
  func changeKey(_ authority: Authority) async throws -> ACMEClient.Account {
    try await changing {
      try await self.alone(authority) { connection in
        // One that was interrupted, and turns out to be made, is the one that is asked for.
        guard try await self.decideKeyChange(authority, over: connection) != .made else { return }
        try await self.makeKeyChange(authority, over: connection)
      }
    }
    return try await turns.read { try await self.describe(authority) }
  }

  private func makeKeyChange(_ authority: Authority, over connection: AuthorityConnection) async throws {
    let (session, entry) = try await open(authority, over: connection)
    try requireInUse(entry, of: authority)
    guard let url = connection.directory.keyChange else {
      throw ACMEError(.badAnswer, connection.url.value, "the CA changes no account keys (RFC 8555, section 7.3.5); see to its pages")
    }
    let successor = try await keys.makeSuccessor(uri: authority.accountKey, directory: connection.url)
    RehearsedDeath.at("acme-client.nextKeyStored")
    do {
      let change = try JSONWebSignature(changing: entry.url, from: session.key.publicKey, to: successor, at: url)
      _ = try await session.post(.keyChange, url, .encoding(change))
    } catch let error as ACMEError where error.meansNothingDone || error.isUnsent {
      try await keys.dropSuccessor(uri: authority.accountKey, directory: connection.url)
      throw error
    } catch let error as ACMEError {
      // It may have been done all the same.
      guard try await decision(authority, over: connection, after: error) == .made else { throw error }
      return
    }
    RehearsedDeath.at("acme-client.keyChanged")
    try await succeed(session.key.publicKey, by: successor, entry.url, authority, over: connection)
  }

  /// Finds out what has come of a change of the key that was interrupted, by asking the CA whether it knows the new one.
  func decideKeyChange(_ authority: Authority, over connection: AuthorityConnection) async throws -> KeyChangeVerdict {
    let uri = authority.accountKey
    guard let successor = try await keys.successor(uri: uri, directory: connection.url) else { return .nothing }
    let current = try await keys.key(uri: uri, directory: connection.url).key.publicKey
    if current == successor.publicKey {
      try await keys.dropSuccessor(uri: uri, directory: connection.url)
      return .made
    }
    guard let account = try await recover(connection, successor)?.url else {
      logger.notice(
        "the account's key was about to be changed, and the CA does not know the new one; the old one stays", metadata: [.directory: connection.url])
      try await keys.dropSuccessor(uri: uri, directory: connection.url)
      return .notMade
    }
    try await succeed(current, by: successor, account, authority, over: connection)
    return .made
  }

  private func decision(
    _ authority: Authority, over connection: AuthorityConnection, after failure: ACMEError
  ) async throws -> KeyChangeVerdict {
    do {
      return try await decideKeyChange(authority, over: connection)
    } catch is ACMEError {
      throw ACMEError(
        failure.code, failure.subject,
        "the CA may have changed the account's key, and its answer is lost (\(failure.cause)); both keys are kept, and the next use of the account "
          + "asks the CA which one it takes")
    }
  }

  private func succeed(
    _ key: JSONWebKey, by successor: any AccountKey, _ account: ResourceURL, _ authority: Authority, over connection: AuthorityConnection
  ) async throws {
    let old = try entry(of: key.thumbprint, at: connection.url)
    try keep(AccountEntry(directory: connection.url, thumbprint: successor.publicKey.thumbprint, url: account, contact: old?.contact))
    RehearsedDeath.at("acme-client.newKeyNoted")
    try await keys.succeed(uri: authority.accountKey, directory: connection.url)
    try forget(key.thumbprint, at: connection.url)
    logger.log(.accountKeyChanged, "the account has another key", metadata: [.directory: connection.url, .account: account])
  }
}

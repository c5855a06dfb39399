import FoundationEssentials
import PKI
import ServiceRuntime

/// What is known of an account.
struct AccountEntry: Codable, Sendable, Hashable {
  let directory: ResourceURL
  /// Of the account's key (RFC 7638).
  let thumbprint: String
  let url: ResourceURL
  /// What the CA was told last of how to reach a person; absent where that is not known.
  var contact: [String]?
  /// How far its end has come; absent while it is in use.
  var end: End?

  /// An account that is deactivated (RFC 8555, section 7.3.6), for good.
  enum End: String, Codable, Sendable {
    /// The CA is told, and may not have heard.
    case wanted
    case certain
  }
}

/// Which account each key has at each CA, on disk: an account is made once.
struct AccountBook: Sendable {
  let folder: URL

  /// The account of a key, if one is known.
  func entry(of thumbprint: String, at directory: ResourceURL) throws -> AccountEntry? {
    guard let content = try file(thumbprint, directory).read(limit: 1 << 16) else { return nil }
    return try? JSONDecoder().decode(AccountEntry.self, from: Data(content))
  }

  /// Whether there was an account at this CA, by whatever key.
  func knowsAccount(at directory: ResourceURL) -> Bool {
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))
    return names?.contains { $0.hasPrefix("\(AccountKeys.name(of: directory))-") } ?? false
  }

  /// Writes an account down.
  func note(_ entry: AccountEntry) throws {
    try AtomicFile.makeFolder(at: folder)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    try file(entry.thumbprint, entry.directory).write(encoder.encode(entry))
  }

  /// The account of a key is of no interest any more.
  func forget(_ thumbprint: String, at directory: ResourceURL) throws {
    try file(thumbprint, directory).remove()
  }

  private func file(_ thumbprint: String, _ directory: ResourceURL) -> AtomicFile {
    AtomicFile(folder.appending(component: "\(AccountKeys.name(of: directory))-\(thumbprint.prefix(12)).json"))
  }
}

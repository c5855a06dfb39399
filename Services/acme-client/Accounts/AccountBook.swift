import FoundationEssentials
import PKI
import ServiceRuntime

/// Which account each key has at each CA, on disk: an account is made once.
struct AccountBook: Sendable {
  let folder: URL

  private struct Entry: Codable {
    var directory: ResourceURL
    var thumbprint: String
    var url: ResourceURL
  }

  /// The account's URL, if one is known.
  func account(of thumbprint: String, at directory: ResourceURL) throws -> ResourceURL? {
    guard let content = try file(thumbprint, directory).read(limit: 1 << 16) else { return nil }
    return try? JSONDecoder().decode(Entry.self, from: Data(content)).url
  }

  /// Writes an account down.
  func note(_ url: ResourceURL, of thumbprint: String, at directory: ResourceURL) throws {
    try AtomicFile.makeFolder(at: folder)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    try file(thumbprint, directory).write(encoder.encode(Entry(directory: directory, thumbprint: thumbprint, url: url)))
  }

  /// The CA does not know the account any more.
  func forget(_ thumbprint: String, at directory: ResourceURL) throws {
    try file(thumbprint, directory).remove()
  }

  private func file(_ thumbprint: String, _ directory: ResourceURL) -> AtomicFile {
    AtomicFile(folder.appending(component: "\(AccountKeys.name(of: directory))-\(thumbprint.prefix(12)).json"))
  }
}

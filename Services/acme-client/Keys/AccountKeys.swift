import Crypto
import FoundationEssentials
import PKI
import ServiceRuntime

/// The account keys: those that a URI names, and for an authority without one a PEM file of its own in the state directory, made at first use.
///
/// A key that is a file can be changed: its successor lies beside it until the CA is known to have taken it.
actor AccountKeys {
  private let folder: URL
  private var open: [String: SystemKey] = [:]

  init(folder: URL) {
    self.folder = folder
  }

  /// The key for an authority.
  /// - Returns: the key, and whether it was made just now, so that no CA can know it yet.
  func key(uri: String?, directory: ResourceURL) throws -> (key: any AccountKey, isNew: Bool) {
    if let uri { return (try opened(uri), false) }
    let file = file(of: directory)
    let isNew = !Self.exists(file)
    if isNew { try make(file) }
    return (try opened(file), isNew)
  }

  /// The key for an authority, if there is one already.
  func existing(uri: String?, directory: ResourceURL) throws -> (any AccountKey)? {
    uri == nil && !Self.exists(file(of: directory)) ? nil : try key(uri: uri, directory: directory).key
  }

  /// The key that was made to follow the one at hand, if the CA is not known yet to have taken it.
  func successor(uri: String?, directory: ResourceURL) throws -> (any AccountKey)? {
    guard let file = try? successorFile(uri, directory), Self.exists(file) else { return nil }
    return try opened(file)
  }

  /// Makes the key that is to follow the one at hand. It is on disk when this returns.
  /// - Throws: an ``ACMEError`` where the key is no file.
  func makeSuccessor(uri: String?, directory: ResourceURL) throws -> any AccountKey {
    let file = try successorFile(uri, directory)
    try make(file)
    return try opened(file)
  }

  /// The successor takes the place of the key at hand, which is gone then.
  func succeed(uri: String?, directory: ResourceURL) throws {
    let file = try keyFile(uri, directory)
    do {
      guard let content = try AtomicFile(try successorFile(uri, directory)).read(limit: 1 << 16) else { return }
      try AtomicFile(file).write(content)
    } catch let error as ServiceRuntimeError {
      throw Self.unstorable(file, error)
    }
    open = [:]
    RehearsedDeath.at("acme-client.newKeyInPlace")
    try dropSuccessor(uri: uri, directory: directory)
  }

  /// The successor is not needed any more, or is of no use.
  func dropSuccessor(uri: String?, directory: ResourceURL) throws {
    let file = try successorFile(uri, directory)
    open[Self.uri(of: file)] = nil
    do { try AtomicFile(file).remove() } catch { throw Self.unstorable(file, error) }
  }

  /// What to do for the authority to have another key, and with it another account.
  nonisolated func wayToAnother(uri: String?, directory: ResourceURL) -> String {
    guard uri == nil else { return "set authority.accountKey to another key" }
    return "remove its key, \(file(of: directory).path(percentEncoded: false))"
  }

  private func opened(_ file: URL) throws -> SystemKey { try opened(Self.uri(of: file)) }

  private func opened(_ uri: String) throws -> SystemKey {
    if let key = open[uri] { return key }
    let key = try SystemKey(uri: uri)
    open[uri] = key
    return key
  }

  private func make(_ file: URL) throws {
    open[Self.uri(of: file)] = nil
    do {
      try AtomicFile.makeFolder(at: file.deletingLastPathComponent())
      try AtomicFile(file).write(Array(P256.Signing.PrivateKey().pemRepresentation.utf8))
    } catch {
      throw Self.unstorable(file, error)
    }
  }

  private nonisolated func file(of directory: ResourceURL) -> URL { folder.appending(component: "\(Self.name(of: directory)).pem") }

  private func keyFile(_ uri: String?, _ directory: ResourceURL) throws -> URL {
    guard let uri else { return file(of: directory) }
    guard let path = Self.path(of: uri) else {
      throw ACMEError(
        .badKey, SystemKey.name(of: uri),
        "the account key is no file, and is not changed here; make another one where it is held, deactivate the account, and set "
          + "authority.accountKey to the new key: the next order makes its account")
    }
    return URL(filePath: path)
  }

  private func successorFile(_ uri: String?, _ directory: ResourceURL) throws -> URL {
    let file = try keyFile(uri, directory)
    return file.deletingLastPathComponent().appending(component: "\(file.lastPathComponent).next")
  }

  /// The path that a `file:` URI (RFC 8089) names; nil for any other.
  nonisolated static func path(of uri: String) -> String? {
    ["file://localhost/", "file:///", "file:/"].first { uri.hasPrefix($0) }.map { "/\(uri.dropFirst($0.count))" }
  }

  private static func uri(of file: URL) -> String { "file:\(file.path(percentEncoded: false))" }

  private static func exists(_ file: URL) -> Bool { FileManager.default.fileExists(atPath: file.path(percentEncoded: false)) }

  private static func unstorable(_ file: URL, _ error: any Error) -> ACMEError {
    ACMEError(.disk, file.path(percentEncoded: false), "the account key cannot be stored (\(error)); see to the disk and to who may write there")
  }

  /// A file name that a person can tell, and that no two directories share.
  static func name(of directory: ResourceURL) -> String {
    let host = directory.host.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".") ? $0 : "-" }
    return "\(String(host.prefix(100)))-\(Fingerprint(of: directory.value.utf8).hex.prefix(8))"
  }
}

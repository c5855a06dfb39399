import Crypto
import FoundationEssentials
import PKI
import ServiceRuntime

/// The account keys: those that a URI names, and for an authority without one a PEM file of its own in the state directory, made at first use.
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
    let file = folder.appending(component: "\(Self.name(of: directory)).pem")
    let path = file.path(percentEncoded: false)
    let isNew = !FileManager.default.fileExists(atPath: path)
    if isNew { try Self.make(file) }
    return (try opened("file:\(path)"), isNew)
  }

  private func opened(_ uri: String) throws -> SystemKey {
    if let key = open[uri] { return key }
    let key = try SystemKey(uri: uri)
    open[uri] = key
    return key
  }

  private static func make(_ file: URL) throws {
    do {
      try AtomicFile.makeFolder(at: file.deletingLastPathComponent())
      try AtomicFile(file).write(Array(P256.Signing.PrivateKey().pemRepresentation.utf8))
    } catch {
      throw ACMEError(.storage, file.path(percentEncoded: false), "the account key cannot be stored (\(error)); see to the state directory")
    }
  }

  /// A file name that a person can tell, and that no two directories share.
  static func name(of directory: ResourceURL) -> String {
    let host = directory.host.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".") ? $0 : "-" }
    return "\(String(host.prefix(100)))-\(Fingerprint(of: directory.value.utf8).hex.prefix(8))"
  }
}

import FoundationEssentials
import Glibc
import PKI

/// The folder in which a device keeps its key, its certificate and the request under way.
///
/// Servers are told the four paths `key.pem`, `certificate.pem`, `chain.pem` and `fullchain.pem`. They lead, by way of one symbolic link, into the
/// folder of one set of files, so that replacing that one link replaces all four at once: no kill and no power cut leaves a key beside
/// another key's certificate.
///
///     key.pem → .acme-device/installed/key.pem    (and the other three)
///     .acme-device/installed → sets/<fingerprint>
///     .acme-device/sets/<fingerprint>/            key, certificate, chain, fullchain, and the request that brought them
///     .acme-device/pending.json                   the request under way, and its key
struct CertificateFolder: Sendable {
  /// The files that servers are told.
  static let names = ["key.pem", "chain.pem", "certificate.pem", "fullchain.pem"]

  /// The folder's path.
  let path: String
  private let files: DurableFiles

  /// The folder at `path`; it is made when it is not there.
  init(path: String, files: DurableFiles = DurableFiles()) {
    self.path = path
    self.files = files
  }

  private var inner: String { "\(path)/.acme-device" }
  private var installedLink: String { "\(inner)/installed" }
  private var sets: String { "\(inner)/sets" }
  /// The folder of what else the device has to remember.
  var notes: String { inner }
  private var pending: String { "\(inner)/pending.json" }

  /// Makes the folder ready, keeps other processes of this program out of it until the lock is gone, and takes over a key and a certificate that lie
  /// there as plain files.
  func prepare() throws -> FolderLock {
    for folder in [path, inner, sets] { try files.makeFolder(folder) }
    let lock = try FolderLock("\(inner)/lock")
    try adoptPlainFiles()
    return lock
  }

  /// The key in use; nil if there is none yet.
  func key() throws -> SigningKey? {
    guard let pem = try files.read("\(installedLink)/key.pem") else { return nil }
    do {
      return try SigningKey(pem: pem)
    } catch {
      throw FileError("\(path)/key.pem", because: "\(error) Put the key back, or remove the file to have a new one made.")
    }
  }

  /// The certificate in use; nil if there is none yet.
  func installed() throws -> InstalledCertificate? {
    guard let pem = try files.read("\(installedLink)/fullchain.pem") else { return nil }
    do {
      let request = try files.read("\(installedLink)/request.json").map { try Self.decode(CertificateRequest.self, $0) }
      return InstalledCertificate(chain: try CertificateChain(pem: pem), request: request)
    } catch {
      throw FileError("\(path)/fullchain.pem", because: "\(error)")
    }
  }

  /// The request under way; nil if there is none.
  func request() throws -> CertificateRequest? { try readPending()?.request }

  /// Begins a request with its key.
  func begin(_ request: CertificateRequest, key: SigningKey) throws {
    let pending = Pending(key: key.pem, request: request)
    try files.write(try Self.encode(pending), to: self.pending, mode: 0o600)
  }

  /// Puts down how far the request has come. It needs no key if that of the request under way, or the one in use, is its own.
  func store(_ request: CertificateRequest) throws {
    try begin(request, key: try key(of: request))
  }

  /// The request is over.
  func forgetRequest() throws { try files.remove(pending) }

  /// Takes a delivered certificate into use, in place of all that was in use before. To do it again does no harm.
  func install(_ chain: CertificateChain, of request: CertificateRequest) throws -> InstalledCertificate {
    let set = chain.leaf.fingerprint.hex
    let folder = "\(sets)/\(set)"
    try files.makeFolder(folder)
    try files.write(try key(of: request).pem, to: "\(folder)/key.pem", mode: 0o600)
    try files.write(try Self.encode(request), to: "\(folder)/request.json", mode: 0o600)
    try files.write(chain.leaf.pem, to: "\(folder)/certificate.pem", mode: 0o644)
    try files.write(chain.issuers.map(\.pem).joined(), to: "\(folder)/chain.pem", mode: 0o644)
    try files.write(chain.pem, to: "\(folder)/fullchain.pem", mode: 0o644)
    let previous = files.destination(of: installedLink)
    try files.link(installedLink, to: "sets/\(set)")
    try linkNames()
    // The same set once more, after a hook that failed, leaves the one before it where it is.
    if previous != "sets/\(set)" { try removeSets(except: [previous, "sets/\(set)"]) }
    return InstalledCertificate(chain: chain, request: request)
  }

  private func linkNames(_ names: [String] = Self.names) throws {
    for name in names { try files.link("\(path)/\(name)", to: Self.target(of: name)) }
  }

  private static func target(of name: String) -> String { ".acme-device/installed/\(name)" }

  /// Keeps the set before the one in use, for the person who has to go back.
  private func removeSets(except kept: [String?]) throws {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: sets)) ?? []
    for set in all where !kept.contains("sets/\(set)") { try files.remove("\(sets)/\(set)") }
  }

  /// Plain files become a set, so that they too can be replaced all at once. What the four paths show stays the same at every step.
  private func adoptPlainFiles() throws {
    let present = Self.names.filter { access("\(path)/\($0)", F_OK) == 0 }
    guard present.contains("key.pem"), present.contains(where: { files.destination(of: "\(path)/\($0)") != Self.target(of: $0) }) else { return }
    let folder = "\(sets)/adopted"
    try files.makeFolder(folder)
    for name in present {
      guard let text = try files.read("\(path)/\(name)") else { continue }
      try files.write(text, to: "\(folder)/\(name)", mode: name == "key.pem" ? 0o600 : 0o644)
    }
    try files.link(installedLink, to: "sets/adopted")
    try linkNames(present)
  }

  // MARK: The request under way

  private struct Pending: Codable {
    var key: String
    var request: CertificateRequest
  }

  private func readPending() throws -> Pending? {
    guard let text = try files.read(pending) else { return nil }
    do {
      return try Self.decode(Pending.self, text)
    } catch {
      throw FileError(pending, because: "it is not what this program writes; remove it to begin anew.")
    }
  }

  private func key(of request: CertificateRequest) throws -> SigningKey {
    let candidates = [try readPending().map { try SigningKey(pem: $0.key) }, try key()]
    guard let key = candidates.compactMap(\.self).first(where: { $0.publicKey == request.csr.publicKey }) else {
      throw FileError(pending, because: "the key of the request is gone.")
    }
    return key
  }

  private static func encode(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
  }

  private static func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
    try JSONDecoder().decode(type, from: Data(text.utf8))
  }
}

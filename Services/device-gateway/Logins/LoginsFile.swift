import Crypto
import FoundationEssentials
import ServiceRuntime

/// The logins on disk: JSON under AES-256-GCM, so that a backup of the state directory without the key gives no secret away.
struct LoginsFile: Sendable {
  private let file: AtomicFile
  private let key: SymmetricKey

  /// Binds the ciphertext to its purpose and its format.
  private static let purpose = Array("acme-connector device-gateway logins 1".utf8)
  /// Far more than a full book takes.
  private static let sizeLimit = 16 << 20

  /// The file in the state directory, under the systemd credential `logins-key`, or without one under a key of its own beside it.
  init(in environment: ServiceEnvironment) throws {
    file = AtomicFile(environment.stateDirectory.appending(component: "logins.sealed"))
    if let credential = try environment.credentials.read("logins-key") {
      guard credential.count >= 16 else {
        throw ServiceRuntimeError.launch("credential logins-key", cause: "has \(credential.count) bytes; give it at least 16 random ones")
      }
      key = HKDF<SHA256>.deriveKey(inputKeyMaterial: SymmetricKey(data: credential), info: Self.purpose, outputByteCount: 32)
    } else {
      key = try Self.ownKey(AtomicFile(environment.stateDirectory.appending(component: "logins.key")))
    }
  }

  /// What was stored; an empty book if nothing ever was.
  func load() throws -> LoginBook {
    guard let content = try file.read(limit: Self.sizeLimit) else { return LoginBook() }
    do {
      let box = try AES.GCM.SealedBox(combined: content)
      return try JSONDecoder().decode(LoginBook.self, from: try AES.GCM.open(box, using: key, authenticating: Self.purpose))
    } catch {
      // Starting anew would lock every device out without a word, and the cause in the error could quote a secret.
      throw LoginsFileError(
        cause: "\(file.url.path(percentEncoded: false)) cannot be opened with this key; restore the file and its key, or remove it to begin anew")
    }
  }

  /// When this returns, the book is on disk.
  func store(_ book: LoginBook) throws {
    let sealed = try AES.GCM.seal(try JSONEncoder().encode(book), using: key, authenticating: Self.purpose)
    guard let combined = sealed.combined else { throw LoginsFileError(cause: "the logins could not be sealed") }
    try file.write(combined)
  }

  private static func ownKey(_ file: AtomicFile) throws -> SymmetricKey {
    if let kept = try file.read(limit: 32) {
      guard kept.count == 32 else { throw LoginsFileError(cause: "\(file.url.path(percentEncoded: false)) is no key of 32 bytes; restore it") }
      return SymmetricKey(data: kept)
    }
    let key = SymmetricKey(size: .bits256)
    try file.write(key.withUnsafeBytes { Array($0) })
    return key
  }
}

/// Why the logins cannot be had.
struct LoginsFileError: Error, CustomStringConvertible {
  let cause: String

  var description: String { "the logins cannot be read: \(cause)" }
}

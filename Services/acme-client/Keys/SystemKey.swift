import CLibCrypto
import Crypto
import Glibc
import Synchronization

/// A key that the system's OpenSSL opens by a URI: `file:` for a PEM file, and whatever a configured provider serves (`pkcs11:`, `handle:`).
final class SystemKey: AccountKey {
  let publicKey: JSONWebKey
  /// The URI as it may be shown.
  private let name: String
  /// One signature at a time: a token's session is no place for two.
  private let key: Mutex<OpaquePointer>

  /// Opens the key.
  /// - Throws: an ``ACMEError`` when there is none, or it is of another kind than P-256.
  init(uri: String) throws {
    name = Self.name(of: uri)
    guard !Self.isOpenToAll(uri) else {
      throw ACMEError(
        .badKey, name, "everyone on this machine may read the account key; chmod o-rwx, and change the key if somebody may have read it")
    }
    guard let key = Self.load(uri) else {
      throw ACMEError(.badKey, name, "the account key cannot be opened (\(Self.lastError)); see that the URI and its permissions are right")
    }
    guard let point = Self.publicKey(of: key) else {
      EVP_PKEY_free(key)
      throw ACMEError(.badKey, name, "the account key is of another kind than P-256, which ES256 needs; use a P-256 key")
    }
    self.publicKey = JSONWebKey(point)
    self.key = Mutex(key)
  }

  deinit {
    key.withLock { EVP_PKEY_free($0) }
  }

  func sign(_ message: [UInt8]) throws -> [UInt8] {
    guard let der = key.withLock({ Self.signature(of: message, by: $0) }),
      let signature = try? P256.Signing.ECDSASignature(derRepresentation: der)
    else { throw ACMEError(.badKey, name, "the account key does not sign (\(Self.lastError)); see to the provider that holds it") }
    return Array(signature.rawRepresentation)
  }

  /// A PKCS#11 URI may hold the token's PIN in its query (`pin-value`, RFC 7512, section 2.3), which is nobody's to read.
  static func name(of uri: String) -> String { String(uri.prefix { $0 != "?" }) }

  /// Whether it is a file that others than its owner and group may read or write.
  private static func isOpenToAll(_ uri: String) -> Bool {
    guard let path = AccountKeys.path(of: uri) else { return false }
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & (S_IROTH | S_IWOTH) != 0
  }

  private static func load(_ uri: String) -> OpaquePointer? {
    // Without a user interface: a service has no terminal on which OpenSSL could ask for a passphrase.
    guard let store = OSSL_STORE_open(uri, UI_null(), nil, nil, nil) else { return nil }
    defer { OSSL_STORE_close(store) }
    while OSSL_STORE_eof(store) == 0, OSSL_STORE_error(store) == 0 {
      guard let info = OSSL_STORE_load(store) else { continue }
      defer { OSSL_STORE_INFO_free(info) }
      if OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY { return OSSL_STORE_INFO_get1_PKEY(info) }
    }
    return nil
  }

  private static func publicKey(of key: OpaquePointer) -> P256.Signing.PublicKey? {
    let length = i2d_PUBKEY(key, nil)
    guard length > 0 else { return nil }
    let der = [UInt8](unsafeUninitializedCapacity: Int(length)) { bytes, count in
      var end = bytes.baseAddress
      count = Int(max(0, i2d_PUBKEY(key, &end)))
    }
    return try? P256.Signing.PublicKey(derRepresentation: der)
  }

  private static func signature(of message: [UInt8], by key: OpaquePointer) -> [UInt8]? {
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    var length = 0
    guard EVP_DigestSignInit_ex(context, nil, "SHA256", nil, nil, key, nil) == 1,
      EVP_DigestSign(context, nil, &length, message, message.count) == 1
    else { return nil }
    var der = [UInt8](repeating: 0, count: length)
    guard EVP_DigestSign(context, &der, &length, message, message.count) == 1 else { return nil }
    return Array(der.prefix(length))
  }

  /// OpenSSL's own reason. It names algorithms and files, never key material.
  private static var lastError: String {
    var text = [CChar](repeating: 0, count: 256)
    let code = ERR_get_error()
    ERR_clear_error()
    guard code != 0 else { return "no such key" }
    ERR_error_string_n(code, &text, text.count)
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

import Crypto
import CryptoExtras
import X509

/// The kinds of key that public authorities certify: RSA of exactly these sizes with the exponent 65537, and these two curves.
public enum KeyKind: String, Sendable, Hashable, Codable, CaseIterable {
  case rsa2048, rsa3072, rsa4096, p256, p384

  /// The kind of a key, or nil for one that no public authority certifies.
  init?(of key: Certificate.PublicKey) {
    if P256.Signing.PublicKey(key) != nil {
      self = .p256
    } else if P384.Signing.PublicKey(key) != nil {
      self = .p384
    } else if let rsa = _RSA.Signing.PublicKey(key), let exponent = try? rsa.getKeyPrimitives().publicExponent {
      guard Array(exponent) == [1, 0, 1], let kind = KeyKind(rawValue: "rsa\(rsa.keySizeInBits)") else { return nil }
      self = kind
    } else {
      return nil
    }
  }
}

/// The identifier by which an authority knows a certificate when it is asked for renewal information or told what is replaced (RFC 9773, section
/// 4.1): the key identifier of the issuer and the serial number, both in base64url.
public struct CertificateIdentifier: TextValue {
  /// The identifier as it stands in the URL.
  public let value: String

  /// Puts the identifier together. `serialNumber` is the content of the DER integer: where the first bit of the number is set, DER
  /// begins with a zero octet, and that belongs to it.
  init(authorityKeyIdentifier: some Sequence<UInt8>, serialNumber: some Sequence<UInt8>) {
    self.value = Base64URL.encode(authorityKeyIdentifier) + "." + Base64URL.encode(serialNumber)
  }

  /// The identifier that `text` spells, or nil if it is not two parts of base64url.
  public init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && Base64URL.decode(String($0)) != nil }) else { return nil }
    self.value = text
  }

  /// The identifier as it stands in the URL.
  public var description: String { value }
}

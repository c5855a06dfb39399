public import PKI

// In the files of this program, CSRs and chains are PEM texts.

extension SigningRequest: Codable {
  /// Reads PEM text.
  public init(from decoder: any Decoder) throws {
    self = try decoder.singleValueContainer().value { try SigningRequest($0) }
  }

  /// Writes PEM text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(pem)
  }
}

extension CertificateChain: Codable {
  /// Reads PEM text.
  public init(from decoder: any Decoder) throws {
    self = try decoder.singleValueContainer().value { try CertificateChain(pem: $0) }
  }

  /// Writes PEM text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(pem)
  }
}

extension SingleValueDecodingContainer {
  fileprivate func value<Value>(_ read: (String) throws -> Value) throws -> Value {
    let text = try decode(String.self)
    do {
      return try read(text)
    } catch {
      throw DecodingError.dataCorruptedError(in: self, debugDescription: "\(error)")
    }
  }
}

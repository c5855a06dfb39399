import PKI

/// An order as the CA shows it (RFC 8555, section 7.1.3).
struct Order: Decodable, Sendable, Hashable {
  let status: Status
  let expires: Timestamp?
  let identifiers: [Identifier]
  let authorizations: [ResourceURL]
  let finalize: ResourceURL
  /// The chain; only of a valid order.
  let certificate: ResourceURL?
  let error: ProblemDocument?

  /// RFC 8555, section 7.1.6. A state that is not known is never taken for success.
  enum Status: Sendable, Hashable {
    case pending, ready, processing, valid, invalid
    case unknown(String)
  }

  /// The names, without their order.
  var names: Set<DNSName> { Set(identifiers.compactMap(\.name)) }
}

extension Order.Status: StatusWord {
  init(word: String) {
    self =
      switch word {
      case "pending": .pending
      case "ready": .ready
      case "processing": .processing
      case "valid": .valid
      case "invalid": .invalid
      default: .unknown(word)
      }
  }
}

/// The payload of newOrder (RFC 8555, section 7.4).
struct NewOrder: Encodable {
  let identifiers: [Identifier]
  /// draft-ietf-acme-profiles.
  let profile: String?
  /// The certificate that the new one takes the place of (RFC 9773, section 5); only where the directory has renewal information.
  let replaces: CertificateIdentifier?
}

/// The payload of finalize (RFC 8555, section 7.4): the CSR, base64url of its DER.
struct Finalization: Encodable {
  let csr: String
}

/// A status that is one word on the wire; a word that is not known is kept as it came.
protocol StatusWord: Decodable {
  init(word: String)
}

extension StatusWord {
  init(from decoder: any Decoder) throws {
    self.init(word: try decoder.singleValueContainer().decode(String.self))
  }
}

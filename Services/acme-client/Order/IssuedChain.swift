import PKI

/// The chain that a CA offers for a certificate, and its alternates, all checked: each is for the CSR and certifies itself, and none has its root.
struct IssuedChain: Sendable, Hashable {
  let chain: String
  let alternates: [String]

  /// Chooses among the offers, the CA's default first.
  /// - Parameter preferred: The common name of the root to end in; the default, where none does.
  init(_ offers: [CertificateChain], preferred: String?) {
    let index = preferred.flatMap { name in offers.firstIndex { $0.endsIn(rootCommonName: name) } } ?? 0
    var texts = offers.map(\.withoutRoot.pem)
    chain = texts.remove(at: index)
    alternates = texts
  }

  /// Reads and checks one offer.
  /// - Throws: an ``ACMEError`` that says what is wrong.
  static func check(_ body: [UInt8], from url: ResourceURL, for request: SigningRequest) throws -> CertificateChain {
    do {
      let chain = try CertificateChain(pem: String(decoding: body, as: UTF8.self))
      try chain.verify(against: request)
      try chain.verifyItself()
      return chain
    } catch {
      let code: ACMEError.Code = [.brokenChain, .keyMismatch, .nameMissing].contains(error.code) ? .wrongCertificate : .badAnswer
      throw ACMEError(code, url.value, "the CA's certificate is of no use: \(error.text)")
    }
  }
}

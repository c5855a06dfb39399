import PKI

/// The chain that a CA offers for a certificate, and its alternates, all checked: each is for the CSR and certifies itself, and none has its root.
struct IssuedChain: Sendable, Hashable {
  /// The longest chain as PEM text, in bytes: a message that brings it to its device has room for no more (65,536, with the escapes of JSON).
  private static let longest = 60_000

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

  /// Reads and checks one offer. Its time is told by the CA's own clock, where the answer has it: ours may be wrong.
  /// - Throws: an ``ACMEError`` that says what is wrong.
  static func check(_ response: Response, from url: ResourceURL, for request: SigningRequest, now: Instant) throws -> CertificateChain {
    do throws(PKIError) {
      let chain = try CertificateChain(pem: String(decoding: response.body, as: UTF8.self))
      try chain.verify(against: request)
      try chain.verifyItself()
      try chain.verifyTime(at: response.date ?? now)
      guard chain.withoutRoot.pem.utf8.count <= longest else {
        throw PKIError(.tooLarge, "The chain is longer than the \(longest) bytes that a device can be sent.")
      }
      return chain
    } catch {
      let code: ACMEError.Code = [.malformed, .tooLarge].contains(error.code) ? .badAnswer : .wrongCertificate
      throw ACMEError(code, url.value, "the CA's certificate is of no use: \(error.text)")
    }
  }
}

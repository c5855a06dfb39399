import NIOHTTP1
import PKI

/// A certificate that was issued.
struct CertificateObject: Sendable {
  let id: String
  let account: String
  let order: String
  let names: Set<String>
  /// The chain in DER, leaf first.
  let chain: [[UInt8]]
  /// The identifier of RFC 9773, section 4.1.
  let identifier: String
  let notBefore: Instant
  let notAfter: Instant
  var isRevoked = false
}

private struct Finalization: Decodable {
  let csr: String
}

private struct Revocation: Decodable {
  let certificate: String
  let reason: Int?
}

extension Books {
  /// RFC 8555, section 7.4.
  mutating func finalize(_ id: String, _ request: SignedRequest, _ mistake: Fault.ChainMistake?, now: Instant) throws -> Answer {
    var order = try order(id, of: request)
    let form = try StrictJSON.decode(Finalization.self, members: ["csr"], from: request.payload, what: "finalize")
    guard status(of: order, now: now) == "ready" else {
      throw Refusal("orderNotReady", status: 403, "the order is \(status(of: order, now: now))")
    }
    let csr: SigningRequest
    do {
      csr = try SigningRequest(der: StrictJSON.octets(form.csr, what: "csr"))
    } catch let rejection as SigningRequestRejection {
      throw Deviation(rejection.description, type: "badCSR")
    }
    guard Set(csr.names.map(\.value)) == order.names else { throw Deviation("the CSR has other names than the order", type: "badCSR") }
    if !order.isExempt {
      let kinds: Set<Limit.Kind> = [.certificatesPerDomain, .certificatesPerExactSet]
      try checkLimits(kinds, order.account, order.names, now: now)
      spend(kinds, order.account, order.names, now: now)
    }
    let shift: Duration = mistake == .ended ? .seconds(-manners.certificateLifetime) : mistake == .notBegun ? .seconds(3 * 365 * 86_400) : .zero
    let life = (from: now + shift - .seconds(3600), until: now + shift + .seconds(manners.certificateLifetime - 3600))
    let issued = try issuer.issue(csr, from: life.from, until: life.until, mistake, withRoot: manners.sendsRoot)
    let certificate = CertificateObject(
      id: makeID(), account: order.account, order: order.id, names: order.names, chain: issued.chain, identifier: issued.identifier,
      notBefore: life.from, notAfter: life.until)
    certificates[certificate.id] = certificate
    order.certificate = certificate.id
    order.processingAnswers = manners.processingAnswers
    orders[id] = order
    report.certificatesIssued += 1
    return answer(about: order, now: now)
  }

  /// Section 7.4.2.
  func certificate(_ id: String, _ request: SignedRequest, _ mistake: Fault.ChainMistake?) throws -> Answer {
    try request.requireAsGet()
    guard let certificate = certificates[id] else { throw Refusal("malformed", status: 404, "no such certificate") }
    guard try certificate.account == request.account else { throw Refusal("unauthorized", status: 403, "not your certificate") }
    let whole = certificate.chain.map { PEM.block("CERTIFICATE", $0) }.joined()
    let text =
      switch mistake {
      case .garbage: certificate.chain.map { PEM.block("CERTIFICATE", Array($0.dropFirst(7))) }.joined()
      case .withKey: whole + PEM.block("PRIVATE KEY", [1, 2, 3])
      case .cut: String(whole.dropLast(100))
      default: whole
      }
    return Answer(status: 200, headers: ["content-type": "application/pem-certificate-chain"], body: Array(text.utf8))
  }

  /// Section 7.6, by the account that the certificate was issued to.
  mutating func revoke(_ request: SignedRequest) throws -> Answer {
    let form = try StrictJSON.decode(Revocation.self, members: ["certificate", "reason"], from: request.payload, what: "revokeCert")
    let der = try StrictJSON.octets(form.certificate, what: "certificate")
    guard var certificate = certificates.values.first(where: { $0.chain.first == der }) else {
      throw Refusal("malformed", status: 404, "no such certificate")
    }
    guard try certificate.account == request.account else { throw Refusal("unauthorized", status: 403, "not your certificate") }
    guard !certificate.isRevoked else { throw Refusal("alreadyRevoked", status: 400, "it is revoked") }
    guard form.reason.map({ [0, 1, 3, 4, 5].contains($0) }) ?? true else {
      throw Refusal("badRevocationReason", status: 400, "no reason \(form.reason ?? 0) for a subscriber")
    }
    certificate.isRevoked = true
    certificates[certificate.id] = certificate
    return Answer(status: 200)
  }
}

import NIOHTTP1
public import PKI

/// What the CA says of the renewal of one certificate (RFC 9773, section 4.2), as it is sent.
public struct RenewalAnswer: Codable, Sendable, Hashable {
  /// The body; JSON if the CA is in its right mind.
  public var body: String
  /// `Retry-After`; nil leaves it out.
  public var retryAfter: String?

  /// A body as it stands.
  public init(body: String, retryAfter: String? = "21600") {
    self.body = body
    self.retryAfter = retryAfter
  }

  /// A window.
  public init(from start: Instant, to end: Instant, explanation: String? = nil, retryAfter: String? = "21600") {
    let page = explanation.map { #","explanationURL":"\#($0)""# } ?? ""
    self.init(body: #"{"suggestedWindow":{"start":"\#(start)","end":"\#(end)"}\#(page)}"#, retryAfter: retryAfter)
  }

  /// A window that is over: what a CA gives for a certificate that it is about to revoke.
  public static func red(now: Instant, explanation: String? = nil) -> RenewalAnswer {
    RenewalAnswer(from: now - .seconds(3600), to: now - .seconds(1800), explanation: explanation)
  }
}

extension Books {
  /// RFC 9773, section 4.1.
  func renewalInfo(_ id: String, _ request: Incoming, now: Instant) throws -> Answer {
    guard request.method == .GET else { throw Deviation("\(request.method) instead of GET (RFC 9773, section 7)", status: 405) }
    guard manners.hasRenewalInfo else { throw Deviation("renewal information is not in the directory", status: 404) }
    guard let certificate = certificates.values.first(where: { $0.identifier == id }) else {
      throw Refusal("malformed", status: 404, "no certificate \(id)")
    }
    let said = renewalAnswers[id] ?? renewalAnswer(for: certificate, now: now)
    var headers: HTTPHeaders = ["content-type": "application/json"]
    if let retryAfter = said.retryAfter { headers.add(name: "retry-after", value: retryAfter) }
    return Answer(status: 200, headers: headers, body: Array(said.body.utf8))
  }

  /// As Let's Encrypt does it: a fiftieth of the life around the moment when a third is left, half of it below ten days.
  private func renewalAnswer(for certificate: CertificateObject, now: Instant) -> RenewalAnswer {
    if certificate.isRevoked { return .red(now: now) }
    let (middle, breadth) = window(of: certificate)
    return RenewalAnswer(from: middle - breadth, to: middle + breadth)
  }

  private func window(of certificate: CertificateObject) -> (middle: Instant, breadth: Duration) {
    let life = certificate.notAfter - certificate.notBefore
    return (certificate.notAfter - life / (life < .seconds(864_000) ? 2 : 3), life / 100)
  }

  /// RFC 9773, section 5: whether the order may say that it replaces a certificate.
  /// - Returns: whether it comes within the window, and is exempt from the limits.
  func mayReplace(_ identifier: String, _ account: String, _ names: Set<String>, now: Instant) throws -> Bool {
    guard manners.hasRenewalInfo else { throw Deviation("replaces, and renewal information is not in the directory (RFC 9773, section 5)") }
    guard let replaced = certificates.values.first(where: { $0.identifier == identifier }) else {
      throw Refusal("malformed", status: 404, "could not find a certificate \(identifier) to be replaced")
    }
    guard replaced.account == account else {
      throw Refusal("unauthorized", status: 403, "requester account did not request the certificate being replaced by this order")
    }
    guard !replaced.names.isDisjoint(with: names) else { throw Refusal("malformed", status: 400, "no name of \(identifier) is in this order") }
    guard !orders.values.contains(where: { $0.replaces == identifier && status(of: $0, now: now) != "invalid" }) else {
      throw Refusal("alreadyReplaced", status: 409, "\(identifier) is replaced by another order")
    }
    let (middle, breadth) = window(of: replaced)
    return replaced.isRevoked || renewalAnswers[identifier] != nil || (middle - breadth...middle + breadth).contains(now)
  }
}

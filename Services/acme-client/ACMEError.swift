import PKI

/// Why something that was asked of a CA, of its account or of a key did not come about.
struct ACMEError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What kind of failure it is. Open: more may be added.
  struct Code: RawRepresentable, Sendable, Hashable {
    let rawValue: String
    init(rawValue: String) { self.rawValue = rawValue }

    /// The CA refused; ``ACMEError/document`` has its problem.
    static let refused = Code(rawValue: "refused")
    /// No connection, or it broke.
    static let unreachable = Code(rawValue: "unreachable")
    /// The CA's TLS certificate is not trusted.
    static let untrusted = Code(rawValue: "untrusted")
    /// The CA did not answer in time, or did not come to an end.
    static let timedOut = Code(rawValue: "timedOut")
    /// The CA's answer is not what RFC 8555 says.
    static let badAnswer = Code(rawValue: "badAnswer")
    /// The certificate is for another key or other names than were asked for, or certifies nothing.
    static let wrongCertificate = Code(rawValue: "wrongCertificate")
    /// The authority as the caller described it cannot be used.
    static let badAuthority = Code(rawValue: "badAuthority")
    /// Nobody has agreed to the CA's terms of service.
    static let termsNotAgreed = Code(rawValue: "termsNotAgreed")
    /// The CA binds accounts to external ones, and none is at hand.
    static let accountNeeded = Code(rawValue: "accountNeeded")
    /// The account was deactivated.
    static let accountEnded = Code(rawValue: "accountEnded")
    /// What was to be changed is in use.
    static let inUse = Code(rawValue: "inUse")
    /// The account key cannot be opened or does not sign.
    static let badKey = Code(rawValue: "badKey")
    /// What was kept of a request is not there any more.
    static let storage = Code(rawValue: "storage")
    /// The disk takes nothing more: no fault of the CA's or of the request.
    static let disk = Code(rawValue: "disk")
  }

  let code: Code
  /// Whom or what it concerns: a URL, a key, a file.
  let subject: String
  /// What happened and what to do, in one sentence.
  let cause: String
  /// What was asked, where it was a request to a CA.
  var endpoint: Endpoint?
  /// The HTTP status, where there was an answer.
  var status: Int?
  /// Whether a nonce came with the answer: it is an ACME server's own, even when it gives no reason (Pebble's 404 for an unknown order).
  var hasNonce = false
  /// The CA's problem, where it sent one.
  var document: ProblemDocument?
  /// Whether no connection came about, so that the request did not leave.
  var isUnsent = false
  /// How long the CA asked to wait.
  var retryAfter: Duration?
  /// A page of the CA's that says more (a `Link` with rel `help` or `terms-of-service`).
  var help: String?

  init(_ code: Code, _ subject: String, _ cause: String) {
    self.code = code
    self.subject = subject
    self.cause = cause
  }

  var description: String { "\(subject): \(cause)" }

  /// Whether the CA has said that it did nothing: it refused, and does not merely fail. A refusal for the pace is one (RFC 8555, section 6.6), also
  /// where it comes with status 503, as Let's Encrypt's does.
  var meansNothingDone: Bool { document.map { !isTransient || status == 429 || $0.type == .rateLimited } ?? false }

  /// Whether a newOrder without the certificate to be replaced may succeed where this one, with it, did not. CAs differ in how they say that it is
  /// not to be replaced (409 alreadyReplaced, 404 malformed, 403 unauthorized), so that every refusal counts that is not plainly about something
  /// else: the pace, the account, the names.
  var mayBeAboutReplacement: Bool {
    guard endpoint == .newOrder, let status, (400..<500).contains(status), status != 429 else { return false }
    let others: [ProblemDocument.Kind] = [
      .accountDoesNotExist, .badNonce, .caa, .invalidProfile, .rateLimited, .rejectedIdentifier, .unsupportedIdentifier, .userActionRequired,
    ]
    return document.map { !others.contains($0.type) } ?? true
  }

  /// Whether the same request may well succeed a moment later.
  var isTransient: Bool {
    switch code {
    case .unreachable, .timedOut: true
    case .refused, .badAnswer: status.map { $0 == 429 || $0 >= 500 } ?? false
    default: false
    }
  }

  /// Whether the CA itself says that the resource is not there, or not this account's. A page of a proxy's says nothing of the kind, nor does a
  /// refusal that is about the account or its pace.
  var meansGone: Bool {
    guard let status else { return false }
    guard let document else { return hasNonce && [404, 410].contains(status) }
    return [401, 403, 404, 410].contains(status) && [.unauthorized, .malformed].contains(document.type)
  }

  /// Whether the request may have gone to an address that the CA has given up.
  var mayBeMisdirected: Bool { isTransient || status.map { [401, 403, 404, 410].contains($0) } ?? false }
}

import ACMEClientAPI
import PKI
import ResponderAPI

/// What went wrong, in the words of the device protocol: the one place where it is translated.
extension Problem {
  /// A CSR that is refused before a CA is asked.
  init(_ rejection: SigningRequestRejection) {
    self.init(
      Word(rawValue: rejection.code.rawValue), rejection.description, name: rejection.name.flatMap { DNSName($0) }, final: true)
  }

  /// An order that came to nothing.
  init(_ failure: OrderFailure) {
    switch failure {
    case .names(let failures): self.init(failures)
    case .order(let document?): self.init(document, document.wordForOrder, of: "The order", retryAfter: nil, help: nil)
    case .order(nil): self.init(.challengeFailed, "The CA has made the order invalid and gives no reason; see the log.")
    case .request(let error): self.init(error)
    case .overdue(let stage, let wish):
      let what = stage == .challenging ? "validation" : "the order"
      self.init(
        .caUnavailable, "The CA does not finish \(what); the order is kept and is taken up with the next try.", retryAfter: wish?.wholeSeconds)
    }
  }

  /// A request that was refused or not answered.
  init(_ error: ACMEError) {
    if let document = error.document {
      let word =
        switch error.endpoint {
        case .newAccount, .account, .keyChange: document.wordForAccount
        case .finalize: document.wordForFinalize
        default: document.wordForRequest
        }
      self.init(document, word, of: "The request", retryAfter: error.retryAfter, help: error.help)
      return
    }
    let word: Word =
      switch error.code {
      case .termsNotAgreed: .notConfigured
      case .accountNeeded, .accountEnded, .badKey, .badAuthority: .accountProblem
      case .inUse: .busy
      case .storage, .disk, .wrongCertificate: .internalError
      default: error.status == 429 ? .rateLimited : .caUnavailable
      }
    self.init(word, "\(error)", retryAfter: error.retryAfter?.wholeSeconds, help: error.help)
  }

  /// Renewal information that was not had. RFC 9773, section 4.3.3, has what lasts asked again after hours and what passes after minutes.
  init(renewalInfo error: ACMEError) {
    self.init(error)
    // A name that does not resolve and a connection that is refused last, says the RFC.
    let isLasting = !error.isTransient || (error.code == .unreachable && error.isUnsent)
    if isLasting, error.code != .badAuthority { self.error = .noRenewalInfo }
  }

  /// Names that cannot be answered for yet.
  init(_ obstacles: [Responder.Obstacle]) {
    let reasons = obstacles.reduce(into: [String]()) { if !$0.contains($1.reason) { $0.append($1.reason) } }
    let more = reasons.count > 3 ? " There are \(reasons.count - 3) more." : ""
    self.init(
      .nameNotReady, reasons.prefix(3).joined(separator: " ") + more, name: obstacles.first?.name,
      names: obstacles.map { NameProblem(name: $0.name, acmeType: nil, text: $0.reason) })
  }

  private init(_ failures: [NameFailure]) {
    // What no other try can mend is told first, then what the CA has said.
    let failures = failures.filter(\.word.isFinal) + failures.filter { !$0.word.isFinal }
    let first = failures.first
    let shown = failures.prefix(3).map { "\($0.name) (\($0.reason))" }.joined(separator: ", ")
    let more = failures.count > 3 ? " and \(failures.count - 3) more" : ""
    self.init(
      first?.word ?? .challengeFailed, "\(first?.event ?? "The CA could not validate") \(shown)\(more); \(first?.advice ?? "see the log").",
      acmeType: first?.document?.type.type,
      name: failures.count == 1 ? first?.name : nil,
      help: failures.lazy.compactMap { $0.document?.link }.first,
      final: failures.contains { $0.word.isFinal },
      names: failures.map { NameProblem(name: $0.name, acmeType: $0.document?.type.type, text: $0.reason) })
  }

  private init(_ document: ProblemDocument, _ word: Word, of what: String, retryAfter: Duration?, help: String?) {
    let needsPerson = document.type == .userActionRequired
    // The page of instructions for a person (RFC 8555, section 7.3.3) comes before the terms themselves.
    let help = (needsPerson ? document.instance : nil) ?? help ?? document.link
    let names = document.subproblems.compactMap { problem in
      problem.identifier?.name.map { NameProblem(name: $0, acmeType: problem.type.type, text: problem.detail) }
    }
    let wait = word == .rateLimited ? retryAfter.map { "wait \($0.wholeSeconds) s, as the CA asks" } : nil
    let advice = needsPerson ? "read and accept the CA's new terms\(help.map { " at \($0)" } ?? ""); no other try helps before" : wait ?? word.advice
    let about = names.isEmpty ? "" : " for \(names.prefix(3).map(\.name.value).joined(separator: ", "))\(names.count > 3 ? " and others" : "")"
    let shown = document.detail.isEmpty ? document.type.rawValue : document.detail
    self.init(
      word, "\(what) was refused by the CA\(about) (\(shown)); \(advice).",
      acmeType: document.type.type,
      name: names.count == 1 ? names.first?.name : nil,
      // No clock brings a person's consent.
      retryAfter: needsPerson ? nil : retryAfter?.wholeSeconds,
      help: help,
      final: word.isFinal,
      names: names)
  }
}

extension NameFailure {
  var document: ProblemDocument? {
    if case .refused(let document) = cause { document } else { nil }
  }

  var word: Problem.Word { document?.wordForName ?? .challengeFailed }

  /// What did not come about, before the names.
  fileprivate var event: String {
    switch cause {
    case .refused, .unusable: "The CA could not validate"
    case .noChallenge: "The CA offers no way to validate"
    case .notPublished: "The CA was not asked to validate"
    }
  }

  /// What to do about it.
  fileprivate var advice: String {
    switch cause {
    case .refused, .unusable: word.advice
    case .noChallenge: "choose a CA, or a profile of it, that offers http-01"
    case .notPublished: "see to the responder that should answer"
    }
  }

  /// Where to look, when who came says something about why the CA did not find the answer.
  private func pointer(_ document: ProblemDocument) -> String? {
    guard let visits, [.connection, .unauthorized, .incorrectResponse].contains(document.type) else { return nil }
    // Where several have the answer in place, one that does not tell who came may have been asked.
    guard !visits.isEmpty || answeredBy.count <= 1 else { return nil }
    return visits.isEmpty
      ? "; nobody has asked here for the answer, so the name or port 80 leads elsewhere"
      : "; \(visits.summary) got the right answer here, so a filter on the way may stop the others of the CA"
  }

  /// One who says so and is wrong is to be found.
  private var holders: String { answeredBy.isEmpty ? "" : "; the answer was in place at \(answeredBy.joined(separator: ", ")), by their own word" }

  /// Why, in a few words.
  var reason: String {
    switch cause {
    case .refused(let document): (document.detail.isEmpty ? document.type.rawValue : document.detail) + holders + (pointer(document) ?? "")
    case .unusable(let state): "the CA's authorization is \(state)"
    case .noChallenge: "the CA offers no http-01 challenge"
    case .notPublished(let reason): "the answer is not in place: \(reason)"
    }
  }
}

extension Duration {
  /// Whole seconds, rounded up.
  var wholeSeconds: Int { Int(clamping: components.seconds) + (components.attoseconds > 0 ? 1 : 0) }
}

import ACMEClientAPI

extension ProblemDocument {
  /// The device protocol's word for the problem with a name.
  var wordForName: Problem.Word {
    switch type {
    case .connection, .dns: .nameUnreachable
    case .caa: .caaForbids
    case .rejectedIdentifier, .unsupportedIdentifier: .nameNotAllowed
    case .rateLimited: isPause ? .namePaused : .rateLimited
    case .serverInternal: .caUnavailable
    default: .challengeFailed
    }
  }

  /// The device protocol's word for a refused request.
  var wordForRequest: Problem.Word {
    switch type {
    case .badCSR: .badCsr
    case .badPublicKey: .weakKey
    case .rateLimited: isPause ? .namePaused : .rateLimited
    case .caa, .connection, .dns, .rejectedIdentifier, .unsupportedIdentifier, .incorrectResponse, .tls: wordForName
    case .compound: subproblems.first.map { ProblemDocument(type: $0.type, detail: $0.detail).wordForName } ?? .challengeFailed
    case .serverInternal, .badNonce, .conflict: .caUnavailable
    case .accountDoesNotExist, .badSignatureAlgorithm, .externalAccountRequired, .invalidContact, .unsupportedContact, .unauthorized,
      .userActionRequired, .invalidProfile:
      .accountProblem
    case .malformed where isTooManyNames: .profileLimit
    default: .internalError
    }
  }

  /// The device protocol's word for a newAccount that is refused: no device can do anything about it.
  var wordForAccount: Problem.Word {
    switch type {
    case .badPublicKey, .rejectedIdentifier, .malformed: .accountProblem
    default: wordForRequest
    }
  }

  /// The device protocol's word for a finalize that is refused: all names are validated by then, so what may not be is the CSR (RFC 8555,
  /// section 7.4). Pebble says so to a common name that is no subjectAltName.
  var wordForFinalize: Problem.Word {
    type == .unauthorized ? .badCsr : wordForRequest
  }

  /// The device protocol's word for an order that the CA made invalid: what it refused is a name or the CSR, not the account.
  var wordForOrder: Problem.Word {
    type == .unauthorized ? .challengeFailed : wordForRequest
  }

  /// Let's Encrypt pauses a name after many failures; its page to end the pause is in the text.
  var isPause: Bool { type == .rateLimited && (detail.contains("unpause") || link?.contains("unpause") == true) }

  /// Let's Encrypt's words for more names than the profile allows: there is no type of their own for it.
  private var isTooManyNames: Bool { detail.contains("cannot contain more than") }
}

extension Problem.Word {
  /// Whether the same CSR cannot succeed.
  var isFinal: Bool { [.badCsr, .weakKey, .nameNotAllowed, .profileLimit].contains(self) }

  /// What to do about it.
  var advice: String {
    switch self {
    case .badCsr: "make another CSR, with every name as a subjectAltName"
    case .weakKey: "use a key that the CA takes: RSA of 2048 bits or more, P-256 or P-384"
    case .nameNotAllowed: "leave the name out of the CSR"
    case .profileLimit: "ask for fewer names, or have authority.profile changed"
    case .nameUnreachable: "see that the name resolves to this site, and that port 80 leads here"
    case .challengeFailed: "see that http://<name>/.well-known/acme-challenge/ leads here unchanged"
    case .caaForbids: "let the name's CAA record allow this CA"
    case .namePaused: "end the pause on the CA's page"
    case .rateLimited: "wait as long as the CA asks"
    case .caUnavailable: "try again later"
    case .accountProblem: "check the account and its settings"
    default: "see the log"
    }
  }
}

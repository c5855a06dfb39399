import PKI

/// The CA's view of whether the account controls a name (RFC 8555, section 7.1.4).
struct Authorization: Decodable, Sendable, Hashable {
  let identifier: Identifier
  let status: Status
  let expires: Timestamp?
  let challenges: [Challenge]

  /// RFC 8555, section 7.1.6.
  enum Status: Sendable, Hashable {
    case pending, valid, invalid, deactivated, expired, revoked
    case unknown(String)
  }

  /// The challenge that is answered here (section 8.3).
  var http01: Challenge? { challenges.first { $0.type == "http-01" } }

  /// Why it is not valid, as the CA put it.
  var problem: ProblemDocument? { challenges.lazy.compactMap(\.error).first }
}

extension Authorization.Status: StatusWord {
  init(word: String) {
    self =
      switch word {
      case "pending": .pending
      case "valid": .valid
      case "invalid": .invalid
      case "deactivated": .deactivated
      case "expired": .expired
      case "revoked": .revoked
      default: .unknown(word)
      }
  }
}

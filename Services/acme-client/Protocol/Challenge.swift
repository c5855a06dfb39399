import PKI
import ResponderAPI

/// A way to prove control of a name (RFC 8555, section 7.1.5).
struct Challenge: Decodable, Sendable, Hashable {
  let type: String
  let url: ResourceURL
  let status: Status
  /// Absent in challenges of other types.
  let token: String?
  let error: ProblemDocument?

  /// RFC 8555, section 7.1.6.
  enum Status: Sendable, Hashable {
    case pending, processing, valid, invalid
    case unknown(String)
  }

  /// The token, if it is one: it is to stand in a path, so nothing but base64url is taken (section 8.3).
  var challengeToken: ChallengeToken? { token.flatMap { ChallengeToken($0) } }
}

extension Challenge.Status: StatusWord {
  init(word: String) {
    self =
      switch word {
      case "pending": .pending
      case "processing": .processing
      case "valid": .valid
      case "invalid": .invalid
      default: .unknown(word)
      }
  }
}

import PKI
import ResponderAPI

@testable import ACMEClient

/// What a CA would say, in few words.
enum CA {
  static func url(_ path: String) -> ResourceURL {
    guard let url = ResourceURL("https://ca.example/\(path)") else { preconditionFailure("no URL: \(path)") }
    return url
  }

  static func name(_ text: String) -> DNSName {
    guard let name = DNSName(text) else { preconditionFailure("no name: \(text)") }
    return name
  }

  static func order(
    _ status: Order.Status, names: [String] = ["a.example"], certificate: String? = nil, error: ProblemDocument? = nil
  ) -> Order {
    Order(
      status: status, expires: nil, identifiers: names.map { Identifier(name($0)) }, authorizations: names.map { url("authz/\($0)") },
      finalize: url("finalize/1"), certificate: certificate.map(url), error: error)
  }

  static func authorization(
    _ status: Authorization.Status, of text: String = "a.example", challenge: Challenge.Status = .pending, error: ProblemDocument? = nil,
    type: String = "http-01"
  ) -> Authorization {
    Authorization(
      identifier: Identifier(name(text)), status: status, expires: nil,
      challenges: [Challenge(type: type, url: url("challenge/\(text)"), status: challenge, token: "token-of-\(text.prefix(1))", error: error)])
  }

  static func challenge(_ status: Challenge.Status, of text: String = "a.example") -> Challenge {
    Challenge(type: "http-01", url: url("challenge/\(text)"), status: status, token: "token-of-\(text.prefix(1))", error: nil)
  }

  static func publication(_ text: String = "a.example") -> Publication {
    guard let token = ChallengeToken("token-of-\(text.prefix(1))") else { preconditionFailure("no token") }
    return Publication(name: name(text), token: token)
  }

  static func problem(_ type: String, _ detail: String = "because") -> ProblemDocument {
    ProblemDocument(type: .init(type: ProblemDocument.Kind.prefix + type), detail: detail)
  }

  static func refusal(_ type: String, status: Int, retryAfter: Duration? = nil) -> ACMEError {
    var error = ACMEError(.refused, "https://ca.example/", "refused")
    error.status = status
    error.document = problem(type)
    error.retryAfter = retryAfter
    return error
  }
}

import NIOHTTP1
import PKI

/// An authorization with its challenge (RFC 8555, sections 7.1.4 and 7.1.5).
struct AuthorizationObject: Sendable {
  /// Where the challenge is.
  enum State: Sendable {
    case pending
    /// A perspective is on its way.
    case validating
    case valid
    case invalid(Refusal)
  }

  let id: String
  let account: String
  let name: String
  let token: String
  var expires: Instant
  var state = State.pending
}

private struct AuthorizationForm: Encodable {
  let identifier: Identifier
  let status: String
  let expires: Instant.Text
  let challenges: [ChallengeForm]
}

private struct ChallengeForm: Encodable {
  let type: String
  let url: String
  let status: String
  let token: String
  let error: Refusal.Document?
}

/// What a challenge asks for, and of whom.
struct Validation: Sendable {
  let authorization: String
  let name: String
  let token: String
  let keyAuthorization: String
}

extension Books {
  /// The authorization for a name of a new order: one that is there already, if the CA does that, or a new one.
  mutating func authorization(for name: String, _ account: String, now: Instant) -> String {
    let known = authorizations.values.first { known in
      guard known.account == account, known.name == name else { return false }
      switch status(of: known, now: now) {
      case "valid": return manners.reusesValidAuthorizations
      case "pending": return manners.reusesPendingAuthorizations
      default: return false
      }
    }
    if let known { return known.id }
    let token = Base64URL.encode((0..<32).map { _ in UInt8.random(in: 0...255) })
    let made = AuthorizationObject(
      id: makeID(), account: account, name: name, token: token, expires: now + .seconds(manners.orderLifetime))
    authorizations[made.id] = made
    return made.id
  }

  /// Section 7.5, for reading alone: what else can be done to an authorization counts as a failure at Let's Encrypt.
  func authorization(_ id: String, _ request: SignedRequest, now: Instant) throws -> Answer {
    guard request.payload.isEmpty else { throw Deviation("an authorization is changed; that of a pending one counts as a failed validation") }
    let authorization = try authorization(id, of: request)
    let status = status(of: authorization, now: now)
    let form = AuthorizationForm(
      identifier: Identifier(type: "dns", value: authorization.name), status: status, expires: .init(authorization.expires),
      challenges: [
        form(of: authorization),
        ChallengeForm(type: "dns-01", url: url(.challenge, "\(id)-dns"), status: "pending", token: authorization.token, error: nil),
      ])
    var answer = Answer.json(form)
    if status == "pending", let seconds = manners.pollAfter { answer.headers.add(name: "retry-after", value: "\(seconds)") }
    return answer
  }

  /// Section 7.5.1: the client says that its answer is in place.
  mutating func challenge(_ id: String, _ request: SignedRequest, now: Instant) throws -> Answer {
    guard request.payload == Array("{}".utf8) else { throw Deviation("the payload of a challenge is not {} (section 7.5.1)") }
    var authorization = try authorization(id, of: request)
    switch authorization.state {
    case .pending where authorization.expires <= now: throw Refusal("malformed", status: 404, "the authorization has expired")
    case .pending:
      guard let key = accounts[authorization.account]?.key else { throw Refusal("accountDoesNotExist", status: 400, "no such account") }
      authorization.state = .validating
      authorizations[id] = authorization
      started.append(
        Validation(
          authorization: id, name: authorization.name, token: authorization.token, keyAuthorization: "\(authorization.token).\(key.thumbprint)"))
    case .validating where manners.refusesParallelValidation:
      throw Refusal("conflict", status: 409, "the challenge is being validated")
    case .invalid: throw Refusal("malformed", status: 400, "the authorization must be pending")
    case .validating, .valid: break
    }
    return .json(form(of: authorization), headers: ["link": "<\(url(.authorization, id))>;rel=\"up\""])
  }

  /// All perspectives have been there.
  mutating func validated(_ validation: Validation, refusal: Refusal?, now: Instant) {
    guard var authorization = authorizations[validation.authorization] else { return }
    authorization.state = refusal.map { .invalid($0) } ?? .valid
    authorization.expires = now + .seconds(manners.orderLifetime)
    authorizations[authorization.id] = authorization
    if refusal != nil { spend([.failuresPerName], authorization.account, [authorization.name], now: now) }
  }

  func status(of authorization: AuthorizationObject, now: Instant) -> String {
    switch authorization.state {
    case .invalid: "invalid"
    case .valid: authorization.expires <= now ? "expired" : "valid"
    case .pending, .validating: authorization.expires <= now ? "expired" : "pending"
    }
  }

  private func authorization(_ id: String, of request: SignedRequest) throws -> AuthorizationObject {
    guard let authorization = authorizations[id] else { throw Refusal("malformed", status: 404, "no such authorization") }
    guard try authorization.account == request.account else { throw Refusal("unauthorized", status: 403, "not your authorization") }
    return authorization
  }

  private func form(of authorization: AuthorizationObject) -> ChallengeForm {
    let (status, refusal): (String, Refusal?) =
      switch authorization.state {
      case .pending: ("pending", nil)
      case .validating: (manners.hidesProcessing ? "pending" : "processing", nil)
      case .valid: ("valid", nil)
      case .invalid(let refusal): ("invalid", refusal)
      }
    return ChallengeForm(
      type: "http-01", url: url(.challenge, authorization.id), status: status, token: authorization.token, error: refusal?.document)
  }
}

/// Asks for a challenge.
public struct AppChallenge: Message, Codable {
  /// The message; some clients send more in it, which does not count.
  public init() {}
}

/// The challenge for the login.
public struct AppChallengeResult: Message, Codable {
  /// The challenge.
  public let challenge: Challenge

  /// The answer with its challenge.
  public init(challenge: Challenge) {
    self.challenge = challenge
  }
}

/// How the login ended.
public enum AppLoginResult: Message {
  /// The client is logged in, to the instance of this domain.
  case accepted(domain: String)
  /// It is not, and may try again after so many seconds, if that is said.
  case refused(ErrorToken, retryAfterSec: Int?)
}

extension AppLoginResult: Codable {
  private enum CodingKeys: String, CodingKey { case ok, domain, error, retryAfterSec }

  /// Reads the result. Other servers leave `ok` out of a refusal, and have words of their own or none for why.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    if try container.decodeIfPresent(Bool.self, forKey: .ok) == true {
      self = .accepted(domain: try container.decodeIfPresent(String.self, forKey: .domain) ?? "")
    } else {
      let word = try? container.decodeIfPresent(String.self, forKey: .error)
      self = .refused(
        word.flatMap(ErrorToken.init(rawValue:)) ?? .loginRefused,
        retryAfterSec: try container.decodeIfPresent(Int.self, forKey: .retryAfterSec))
    }
  }

  /// Writes the result.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .accepted(let domain):
      try container.encode(true, forKey: .ok)
      try container.encode(domain, forKey: .domain)
    case .refused(let error, let retryAfterSec):
      try container.encode(false, forKey: .ok)
      try container.encode(error, forKey: .error)
      try container.encodeIfPresent(retryAfterSec, forKey: .retryAfterSec)
    }
  }
}

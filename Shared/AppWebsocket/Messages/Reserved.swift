// What innovaphone's pages and PBX send beside what an application defines. Their names are reserved in every AppWebsocket.

/// Says that the client is still there; a server answers it with the same.
public struct KeepAlive: Message, Codable {
  /// The message.
  public init() {}
}

/// A page asks whether it is the current build. It may do so before the login.
public struct CheckBuild: Message, Codable {
  /// The page's own address.
  public let url: String?

  /// The question of a page.
  public init(url: String?) {
    self.url = url
  }
}

/// Whether the page is current.
public struct CheckBuildResult: Message, Codable {
  /// The address of the current one, to be loaded; none if the page is current.
  public let url: String?

  /// The answer.
  public init(url: String? = nil) {
    self.url = url
  }
}

/// A PBX asks what an application offers.
public struct AppInfo: Message, Codable {
  /// The application's name.
  public let app: String?

  /// The question.
  public init(app: String?) {
    self.app = app
  }
}

/// What an application offers.
public struct AppInfoResult: Message, Codable {
  /// What users see of it.
  public struct Info: Codable, Sendable, Hashable {
    /// Whether it is left out of the users' list of applications.
    @Flag public var hidden: Bool

    /// What users see.
    public init(hidden: Bool = false) {
      self.hidden = hidden
    }
  }

  /// The application's name.
  public let app: String?
  /// What users see of it.
  public let info: Info

  /// The answer.
  public init(app: String?, info: Info) {
    self.app = app
    self.info = info
  }
}

/// A page of the PBX Manager asks whether the secret in a PBX object is the right one.
public struct AppCheckLogin: Message, Codable, CustomStringConvertible {
  /// The application's name.
  public let app: String?
  /// The domain of the instance.
  public let domain: String?
  /// What the asking end has made up.
  public let challenge: Challenge
  private let digest: String

  /// A question about a secret.
  public init(app: String, domain: String, challenge: Challenge, password: String) {
    self.app = app
    self.domain = domain
    self.challenge = challenge
    self.digest = LoginDigest(LoginDigest.Subject(app: app, domain: domain), info: nil, challenge: challenge, password: password).hex
  }

  /// What the asking end has proved, to be tried with one secret after the other.
  public var proof: LoginProof {
    LoginProof(LoginDigest(hex: digest), [LoginDigest.Beginning(subject, info: nil, challenge: challenge)])
  }

  /// Whether the asking end knows this secret.
  public func isProven(by password: String) -> Bool { proof.isMade(with: password) }

  /// What is asked, without the proof.
  public var description: String { "check of the login of \(subject)" }

  private var subject: LoginDigest.Subject { LoginDigest.Subject(app: app ?? "", domain: domain ?? "") }
}

/// Whether the secret is the right one.
public struct AppCheckLoginResult: Message, Codable {
  /// Whether it is.
  @Flag public var ok: Bool

  /// The answer.
  public init(ok: Bool) {
    self.ok = ok
  }
}

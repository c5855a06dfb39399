import FoundationEssentials

/// `AppLogin`: who a client says it is, and the digest that proves it. Some clients send their session key along; it is not read. No
/// description shows the digest.
public struct Login: Message, CustomStringConvertible {
  /// The most octets of `info`: what is hashed for somebody who has not logged in.
  public static let maximumInfoSize = 8192

  /// `AppLogin`
  public static let name = MessageName.appLogin

  /// Who it is.
  public let subject: LoginDigest.Subject
  /// What else is known of the client, a JSON object that the digest covers.
  public let info: RawJSON?

  private let digest: String

  /// A login that proves itself by a secret.
  public init(_ subject: LoginDigest.Subject, info: RawJSON? = nil, challenge: Challenge, password: String) {
    self.subject = subject
    self.info = info
    self.digest = LoginDigest(subject, info: info?.text, challenge: challenge, password: password).hex
  }

  /// Reads a login.
  public init(from envelope: Envelope) throws(MessageError) {
    let content = try envelope.decode(Content.self)
    subject = LoginDigest.Subject(
      app: content.app ?? "", domain: content.domain ?? "", sip: content.sip ?? "", guid: content.guid ?? "", dn: content.dn ?? "")
    info = envelope["info"]
    guard (info?.text.utf8.count ?? 0) <= Self.maximumInfoSize else {
      throw MessageError(.tooLarge, "The property info is larger than \(Self.maximumInfoSize) bytes.")
    }
    digest = content.digest
  }

  /// What the login has proved, to be tried with one secret after the other.
  ///
  /// The digest covers `info` as it was sent. Where that fails it is tried as `JSON.stringify` would have written it, for some clients make the digest
  /// before a library writes the message in another form.
  public func proof(for challenge: Challenge) -> LoginProof {
    var forms = [info?.text]
    if let info, info.canonical != info.text { forms.append(info.canonical) }
    return LoginProof(LoginDigest(hex: digest), forms.map { LoginDigest.Beginning(subject, info: $0, challenge: challenge) })
  }

  /// Whether the login knows this secret.
  public func isProven(by password: String, challenge: Challenge) -> Bool {
    proof(for: challenge).isMade(with: password)
  }

  /// The message's properties; `info` stands there as it is.
  public var properties: String {
    let texts = [
      ("app", subject.app), ("domain", subject.domain), ("sip", subject.sip), ("guid", subject.guid), ("dn", subject.dn), ("digest", digest),
    ]
    var properties = texts.map { "\"\($0)\":" + JSONText.quoted($1) }
    if let info { properties.insert("\"info\":\(info.text)", at: 5) }
    return "{\(properties.joined(separator: ","))}"
  }

  /// Who it is, without the proof.
  public var description: String { "login of \(subject)" }

  private struct Content: Decodable {
    let app, domain, sip, guid, dn: String?
    let digest: String
  }
}

import Crypto
import PKI

/// The proof that an end knows the secret of a login:
///
///     SHA-256( app:domain:sip:guid:dn:[info:]challenge:password )
///
/// in UTF-8. An absent field is empty and keeps its colon; `info:` is there only when the login has `info`, and then as its JSON text. Digests are compared in constant
/// time, and appear in no description.
public struct LoginDigest: Sendable, Equatable, CustomStringConvertible {
  /// What a login says of who it is, as far as the digest covers it.
  public struct Subject: Sendable, Hashable, CustomStringConvertible {
    /// The application, in the connector's world free to choose.
    public var app: String
    /// The domain (tenant).
    public var domain: String
    /// The name of the device; best its hardware id.
    public var sip: String
    /// An identifier of the device's object.
    public var guid: String
    /// What people call it.
    public var dn: String

    /// A subject; what is not given is empty.
    public init(app: String = "", domain: String = "", sip: String = "", guid: String = "", dn: String = "") {
      self.app = app
      self.domain = domain
      self.sip = sip
      self.guid = guid
      self.dn = dn
    }

    /// The fields that are not empty, each cut to what can stand in a log.
    public var description: String {
      [("app", app), ("domain", domain), ("sip", sip), ("guid", guid), ("dn", dn)]
        .filter { !$1.isEmpty }.map { "\($0) '\(ShortText(clipping: $1))'" }.joined(separator: ", ")
    }
  }

  private let octets: [UInt8]

  /// The digest of a login.
  public init(_ subject: Subject, info: String?, challenge: Challenge, password: String) {
    self = Beginning(subject, info: info, challenge: challenge).digest(of: password)
  }

  /// All that is hashed before the password. It is hashed once, however many passwords are tried after it.
  struct Beginning: Sendable {
    private var hash = SHA256()

    init(_ subject: Subject, info: String?, challenge: Challenge) {
      let fields = [subject.app, subject.domain, subject.sip, subject.guid, subject.dn] + (info.map { [$0] } ?? [])
      hash.update(data: Array((fields + [challenge.description, ""]).joined(separator: ":").utf8))
    }

    func digest(of password: String) -> LoginDigest {
      var hash = hash
      hash.update(data: Array(password.utf8))
      return LoginDigest(hash.finalize())
    }
  }

  private init(_ digest: SHA256Digest) {
    self.octets = Array(digest)
  }

  /// The digest that 64 hexadecimal digits of either case spell, or nil.
  public init?(hex: String) {
    guard let octets = Hexadecimal.decode(hex), octets.count == SHA256.byteCount else { return nil }
    self.octets = octets
  }

  /// The digest as it is sent: lowercase hexadecimal digits.
  public var hex: String { Hexadecimal.encode(octets) }

  /// That it is a digest.
  public var description: String { "a login digest" }

  /// Whether both are the same, in a time that does not tell where they differ.
  public static func == (left: LoginDigest, right: LoginDigest) -> Bool {
    zip(left.octets, right.octets).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }
}

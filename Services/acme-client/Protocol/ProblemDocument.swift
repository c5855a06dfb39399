import FoundationEssentials
import PKI
import Telemetry

/// Why the CA did not do what it was asked (RFC 8555, section 6.7; RFC 9457).
struct ProblemDocument: Decodable, Sendable, Hashable {
  let type: Kind
  /// The CA's words, in one line and of bounded length.
  let detail: String
  /// The first URL in the CA's words. Let's Encrypt's page that ends a pause has its whole request in the URL, which is longer than `detail`.
  let link: String?
  /// Where a person is to go, where it is a URL of the web (RFC 8555, section 7.3.3).
  let instance: String?
  /// One for each name that stands in the way (section 6.7.1).
  let subproblems: [Subproblem]

  /// An error type of RFC 8555, section 6.7, without its prefix; anything else as it came, in one line and of bounded length.
  struct Kind: RawRepresentable, Sendable, Hashable {
    let rawValue: String

    static let prefix = "urn:ietf:params:acme:error:"

    init(rawValue: String) { self.rawValue = rawValue }

    init(type: String) {
      let type = ProblemDocument.line(String(type.prefix(Self.longest)))
      rawValue = type.hasPrefix(Self.prefix) ? String(type.dropFirst(Self.prefix.count)) : type
    }

    /// In characters: what is longer is no name.
    private static let longest = 200

    static let accountDoesNotExist = Kind(rawValue: "accountDoesNotExist")
    static let alreadyRevoked = Kind(rawValue: "alreadyRevoked")
    static let badCSR = Kind(rawValue: "badCSR")
    static let badNonce = Kind(rawValue: "badNonce")
    static let badPublicKey = Kind(rawValue: "badPublicKey")
    static let badSignatureAlgorithm = Kind(rawValue: "badSignatureAlgorithm")
    static let caa = Kind(rawValue: "caa")
    static let compound = Kind(rawValue: "compound")
    static let connection = Kind(rawValue: "connection")
    /// Let's Encrypt's word for two requests that get in each other's way.
    static let conflict = Kind(rawValue: "conflict")
    static let dns = Kind(rawValue: "dns")
    static let externalAccountRequired = Kind(rawValue: "externalAccountRequired")
    static let incorrectResponse = Kind(rawValue: "incorrectResponse")
    static let invalidContact = Kind(rawValue: "invalidContact")
    static let invalidProfile = Kind(rawValue: "invalidProfile")
    static let malformed = Kind(rawValue: "malformed")
    static let orderNotReady = Kind(rawValue: "orderNotReady")
    static let rateLimited = Kind(rawValue: "rateLimited")
    static let rejectedIdentifier = Kind(rawValue: "rejectedIdentifier")
    static let serverInternal = Kind(rawValue: "serverInternal")
    static let tls = Kind(rawValue: "tls")
    static let unauthorized = Kind(rawValue: "unauthorized")
    static let unsupportedContact = Kind(rawValue: "unsupportedContact")
    static let unsupportedIdentifier = Kind(rawValue: "unsupportedIdentifier")
    static let userActionRequired = Kind(rawValue: "userActionRequired")
    /// What RFC 9457 means by an absent type.
    static let blank = Kind(rawValue: "about:blank")

    /// The type as a problem document spells it.
    var type: String { rawValue.contains(":") ? rawValue : Self.prefix + rawValue }
  }

  struct Subproblem: Decodable, Sendable, Hashable {
    let type: Kind
    let detail: String
    let identifier: Identifier?

    private enum Member: CodingKey { case type, detail, identifier }

    init(from decoder: any Decoder) throws {
      let members = try decoder.container(keyedBy: Member.self)
      type = (try? members.decode(String.self, forKey: .type)).map(Kind.init(type:)) ?? .blank
      detail = ProblemDocument.line(try? members.decode(String.self, forKey: .detail))
      identifier = try? members.decode(Identifier.self, forKey: .identifier)
    }
  }

  init(type: Kind, detail: String, subproblems: [Subproblem] = []) {
    self.type = type
    self.detail = Self.line(detail)
    self.link = Self.link(in: detail)
    self.instance = nil
    self.subproblems = subproblems
  }

  private enum Member: CodingKey { case type, detail, instance, subproblems }

  init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: Member.self)
    type = (try? members.decode(String.self, forKey: .type)).map(Kind.init(type:)) ?? .blank
    let said = try? members.decode(String.self, forKey: .detail)
    detail = Self.line(said)
    link = Self.link(in: said ?? "")
    instance = (try? members.decode(ResourceURL.self, forKey: .instance))?.value
    subproblems = Array(((try? members.decode([Subproblem].self, forKey: .subproblems)) ?? []).prefix(SigningRequest.maximumNames))
  }

  /// The longest text of a CA's that is passed on, in characters.
  private static let longestDetail = 500

  private static func link(in text: String) -> String? {
    text.split(whereSeparator: \.isWhitespace).first { $0.hasPrefix("https://") }.flatMap { link in
      ResourceURL(String(link.reversed().drop { ".,;)\"'".contains($0) }.reversed()))?.value
    }
  }

  /// A foreign text fit for a log line and a sentence.
  private static func line(_ text: String?) -> String {
    let printable = String((text ?? "").map { $0.unicodeScalars.contains(where: \.disturbsLine) ? " " : $0 })
    let short = printable.prefix(longestDetail)
    // A link that was cut leads nowhere.
    guard short.count < printable.count, let space = short.lastIndex(of: " "), short[space...].hasPrefix(" https://") else { return String(short) }
    return "\(short[..<space]) …"
  }
}

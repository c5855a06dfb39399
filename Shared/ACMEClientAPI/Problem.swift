public import PKI
public import Varlink

/// Why there is no certificate.
public struct Problem: Codable, Sendable, Hashable {
  /// What a device is told. Open, as the device protocol is; these are the words that acme-client uses.
  public struct Word: RawRepresentable, Codable, Sendable, Hashable {
    /// The word, as on the wire.
    public let rawValue: String
    /// A word as it came.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The CSR is not one that this CA takes.
    public static let badCsr = Word(rawValue: "badCsr")
    /// The CA takes no key like the CSR's.
    public static let weakKey = Word(rawValue: "weakKey")
    /// The CSR's key may not be in a certificate.
    public static let newKeyRequired = Word(rawValue: "newKeyRequired")
    /// The CA issues for no such name.
    public static let nameNotAllowed = Word(rawValue: "nameNotAllowed")
    /// More names than the profile allows.
    public static let profileLimit = Word(rawValue: "profileLimit")
    /// The CA could not reach the name on port 80.
    public static let nameUnreachable = Word(rawValue: "nameUnreachable")
    /// Nothing was ordered, for whoever has to answer for a name is not there yet; an order would only fail, and counts at the CA.
    public static let nameNotReady = Word(rawValue: "nameNotReady")
    /// The CA reached something else, or no responder had the answer in place.
    public static let challengeFailed = Word(rawValue: "challengeFailed")
    /// The name's CAA records forbid this CA.
    public static let caaForbids = Word(rawValue: "caaForbids")
    /// The CA has paused this name for this account.
    public static let namePaused = Word(rawValue: "namePaused")
    /// A limit of the CA is reached.
    public static let rateLimited = Word(rawValue: "rateLimited")
    /// The CA cannot be reached, or is not working.
    public static let caUnavailable = Word(rawValue: "caUnavailable")
    /// Nobody has agreed to the CA's terms of service yet.
    public static let notConfigured = Word(rawValue: "notConfigured")
    /// The account is not usable: external account binding, deactivated, new terms.
    public static let accountProblem = Word(rawValue: "accountProblem")
    /// Something else is under way that has to end first.
    public static let busy = Word(rawValue: "busy")
    /// The CA has no renewal information for a certificate, and will hardly have any a moment later.
    public static let noRenewalInfo = Word(rawValue: "noRenewalInfo")
    /// A fault of ours.
    public static let internalError = Word(rawValue: "internalError")
  }

  /// What a device is told.
  public var error: Word
  /// One sentence: who, which name, the cause, the next step.
  public var text: String
  /// The type of the CA's problem document (RFC 8555, section 6.7).
  public var acmeType: String?
  /// The name it concerns, where it is one.
  public var name: DNSName?
  /// Seconds that the CA asked to wait.
  public var retryAfter: Int?
  /// A page of the CA's that says more.
  public var help: String?
  /// The same CSR cannot succeed.
  public var final: Bool
  /// What is wrong with each name.
  public var names: [NameProblem]
  /// How many newOrder requests the request has cost. Only from ``ACMEClient/Issue``.
  public var newOrders: Int?

  /// A problem, in short.
  public init(
    _ error: Word, _ text: String, acmeType: String? = nil, name: DNSName? = nil, retryAfter: Int? = nil, help: String? = nil,
    final: Bool = false, names: [NameProblem] = []
  ) {
    self.error = error
    self.text = text
    self.acmeType = acmeType
    self.name = name
    self.retryAfter = retryAfter
    self.help = help
    self.final = final
    self.names = names
  }
}

/// What is wrong with one name.
public struct NameProblem: Codable, Sendable, Hashable {
  /// The name.
  public var name: DNSName
  /// The type of the CA's problem document.
  public var acmeType: String?
  /// One sentence.
  public var text: String

  /// What is wrong with one name.
  public init(name: DNSName, acmeType: String?, text: String) {
    self.name = name
    self.acmeType = acmeType
    self.text = text
  }
}

extension ACMEClient {
  /// The CA, its account or a name stands in the way.
  public struct Failed: VarlinkFault, Hashable {
    /// What, and what to do.
    public var problem: Problem

    /// A failure with its problem.
    public init(_ problem: Problem) {
      self.problem = problem
    }
  }
}

public import PKI

/// What the doctor has found about a name: whether the CA will find the answer to an HTTP-01 challenge there, and if not, where and why.
public struct Finding: Codable, Sendable, Hashable {
  /// A stable word for each kind of finding.
  public enum Code: String, Codable, Sendable, CaseIterable {
    // What is as it should be.
    /// The probe's answer was found.
    case answered

    // The DNS.
    /// The name has no address: it does not exist, or is for something else.
    case noAddress
    /// The DNS gave no answer about its addresses.
    case noDNSAnswer
    /// Its aliases lead nowhere.
    case cnameLoop
    /// It has an address of a private network.
    case privateAddress
    /// It has an address that is no host's on the Internet, and is not connected to.
    case addressNotAllowed
    /// It has more addresses than are looked at.
    case manyAddresses
    /// This machine's resolver has other addresses for it than the one that was asked.
    case splitHorizon

    // The way there.
    /// Nothing answers over IPv6, while IPv4 works.
    case brokenIPv6
    /// Connections are refused.
    case portClosed
    /// Connections are not answered.
    case filtered
    /// There is no way to the address.
    case unreachable
    /// A public address that can perhaps not be seen from behind the same address translation.
    case natHairpin
    /// The connection ends before the answer does.
    case connectionCut
    /// The connection is accepted, and nothing comes.
    case noAnswer
    /// The answer is right, and takes long.
    case slow

    // Who answers.
    /// Another web server than one that knows the challenge.
    case wrongServer
    /// A server that has the answer, but not under this name.
    case nameMissingOnProxy
    /// A server that fails (5xx).
    case serverFailed
    /// A page that wants a login.
    case loginPage
    /// Something that does not speak HTTP.
    case notHTTP
    /// The answer is there, and something around it.
    case tokenWrapped
    /// The answer is there, and too much blank space after it.
    case bodyTooLong
    /// A content delivery network stands in front.
    case contentDelivery

    // Redirects.
    /// They come back to where they were.
    case redirectLoop
    /// There are more than ten.
    case tooManyRedirects
    /// One leads to another port than 80 and 443.
    case redirectToOtherPort
    /// One is of a kind that CAs do not follow.
    case redirectNotFollowed
    /// One leads to an address instead of a name.
    case redirectToAddress
    /// One leads to another host, which has no answer.
    case redirectElsewhere
    /// One leads to https, and there is no TLS.
    case httpsRedirectBroken

    // CAA (RFC 8659).
    /// The CA may not issue for the name.
    case caaForbids
    /// The DNS does not say who may.
    case caaUnreadable

    // This side.
    /// Whoever has to answer for the name is not connected.
    case proxyNotConnected
    /// The answer could not be put in place.
    case responderFailed
    /// This machine's clock differs from the CA's.
    case clockWrong
    /// The CA's directory could not be read, or it is not known who the CA is in CAA.
    case authorityUnread
  }

  /// How much it matters.
  public enum Severity: String, Codable, Sendable, CaseIterable, Comparable {
    /// It is as it should be.
    case fine
    /// It may be wrong, or may only look so from here.
    case doubtful
    /// The CA will fail, or is about to.
    case wrong

    /// Graver ones are higher.
    public static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }
    private var rank: Int { self == .fine ? 0 : self == .doubtful ? 1 : 2 }
  }

  /// What kind it is.
  public var code: Code
  /// How much it matters.
  public var severity: Severity
  /// The name it is about.
  public var name: DNSName
  /// The address, where it is about one.
  public var address: String?
  /// One sentence: what is wrong, where, who answered instead, and what to do.
  public var text: String

  /// Something that was found.
  public init(_ code: Code, _ severity: Severity, name: DNSName, address: String? = nil, text: String) {
    self.code = code
    self.severity = severity
    self.name = name
    self.address = address
    self.text = text
  }
}

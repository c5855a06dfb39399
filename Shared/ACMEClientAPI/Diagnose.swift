public import PKI
public import Telemetry
public import Varlink

extension ACMEClient {
  /// A name that is to be proved, and for whom.
  public struct Candidate: Codable, Sendable, Hashable {
    /// The name.
    public var name: DNSName
    /// Passed to the responders.
    public var device: String?

    /// A name for a device.
    public init(name: DNSName, device: String? = nil) {
      self.name = name
      self.device = device
    }
  }

  /// How the doctor looks.
  public struct Vantage: Codable, Sendable, Hashable {
    /// The address and port of the DNS server to ask; nil for those of /etc/resolv.conf.
    public var resolver: String?
    /// The networks that are not public and may be connected to all the same.
    public var privateAddresses: [String]
    /// Where it connects for `http`: 80.
    public var httpPort: Int
    /// Where it connects for `https`: 443.
    public var httpsPort: Int

    /// The way a CA looks, unless told otherwise.
    public init(resolver: String? = nil, privateAddresses: [String] = [], httpPort: Int = 80, httpsPort: Int = 443) {
      self.resolver = resolver
      self.privateAddresses = privateAddresses
      self.httpPort = httpPort
      self.httpsPort = httpsPort
    }
  }

  /// Finds out whether names can be validated by HTTP-01, without asking the CA to.
  public struct Diagnose: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.acmeClient

    /// Which names, and how to look.
    public struct Parameters: Codable, Sendable, CloselyTraced {
      /// The names.
      public var candidates: [Candidate]
      /// The CA that is going to be asked; nil leaves out what depends on it.
      public var authority: Authority?
      /// How to look.
      public var vantage: Vantage
      /// They are about to be ordered: then they wait for no others.
      public var beforeOrder: Bool
      /// Which trace categories are on.
      public var traced: [TraceCategory]?
      /// The caller's trace.
      public var trace: TraceContext?

      /// Names to look at.
      public init(candidates: [Candidate], authority: Authority?, vantage: Vantage, beforeOrder: Bool = false) {
        self.candidates = candidates
        self.authority = authority
        self.vantage = vantage
        self.beforeOrder = beforeOrder
      }
    }

    /// What was found about one name.
    public struct Reply: Codable, Sendable, Hashable {
      /// The name.
      public var name: DNSName
      /// The gravest first; never none.
      public var findings: [Finding]

      /// What was found about a name.
      public init(name: DNSName, findings: [Finding]) {
        self.name = name
        self.findings = findings
      }
    }
  }
}

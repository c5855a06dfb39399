public import PKI
public import Telemetry
public import Varlink

extension ACMEClient {
  /// Asks the CA when it wants a certificate renewed (RFC 9773).
  public struct GetRenewalInfo: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.acmeClient

    /// Which certificate.
    public struct Parameters: Codable, Sendable, CloselyTraced {
      /// The CA that issued it.
      public var authority: Authority
      /// The leaf, PEM.
      public var certificate: String
      /// Which trace categories are on.
      public var traced: [TraceCategory]?
      /// The caller's trace.
      public var trace: TraceContext?

      /// About a certificate of an authority.
      public init(authority: Authority, certificate: String) {
        self.authority = authority
        self.certificate = certificate
      }
    }

    /// What the CA says.
    public struct Reply: Codable, Sendable, Hashable {
      /// Whether the CA has renewal information at all; nothing but its clock is given where it has not.
      public var supported: Bool
      /// The first moment of the window.
      public var start: Instant?
      /// Its last moment, later than the first.
      public var end: Instant?
      /// A page of the CA's that says why; for a person.
      public var explanation: String?
      /// Seconds until the CA wants to be asked again; six hours where it does not say (section 4.3.3).
      public var retryAfter: Int?
      /// The CA's clock, where it shows one.
      public var date: Instant?

      /// A window, or that there is none.
      public init(
        supported: Bool, start: Instant? = nil, end: Instant? = nil, explanation: String? = nil, retryAfter: Int? = nil, date: Instant? = nil
      ) {
        self.supported = supported
        self.start = start
        self.end = end
        self.explanation = explanation
        self.retryAfter = retryAfter
        self.date = date
      }
    }
  }

  /// Revokes a certificate by the account that obtained it (RFC 8555, section 7.6).
  public struct Revoke: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.acmeClient
    /// There is nothing to say.
    public typealias Reply = NoMembers

    /// Which certificate, and why.
    public struct Parameters: Codable, Sendable, CloselyTraced {
      /// The CA that issued it.
      public var authority: Authority
      /// The leaf, PEM.
      public var certificate: String
      /// A CRLReason (RFC 5280, section 5.3.1), or none.
      public var reason: Int?
      /// Which trace categories are on.
      public var traced: [TraceCategory]?
      /// The caller's trace.
      public var trace: TraceContext?

      /// The certificate to revoke.
      public init(authority: Authority, certificate: String, reason: Int? = nil) {
        self.authority = authority
        self.certificate = certificate
        self.reason = reason
      }
    }
  }
}

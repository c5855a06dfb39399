public import PKI
public import Telemetry
public import Varlink

extension VarlinkInterface {
  /// `org.acmeconnector.Responder`
  public static let responder = VarlinkInterface(
    "org.acmeconnector.Responder", text: PackageResources.org_acmeconnector_Responder_varlink, faults: [Responder.NotPublished.self, Restarting.self])
}

/// The methods of `org.acmeconnector.Responder`; what they promise is in the interface text.
public enum Responder {
  /// Whether a responder answers for a name.
  public enum Outcome: String, Codable, Sendable, CaseIterable {
    /// A request for the token is answered from now on.
    case inPlace
    /// The responder does not serve that name.
    case notMine
  }

  /// A request for a token that was given its answer.
  public struct Visit: Codable, Sendable, Hashable {
    /// Where it came from: the CA, or a reverse proxy in front.
    public var address: String
    /// When.
    public var time: Instant
    /// The reverse proxy that was asked, and looked the answer up.
    public var asker: String?

    /// A request from an address.
    public init(address: String, time: Instant, asker: String? = nil) {
      self.address = address
      self.time = time
      self.asker = asker
    }
  }

  /// A name that cannot be answered for now.
  public struct Obstacle: Codable, Sendable, Hashable {
    /// The name.
    public var name: DNSName
    /// Why, in one sentence.
    public var reason: String

    /// A name and what is in its way.
    public init(name: DNSName, reason: String) {
      self.name = name
      self.reason = reason
    }
  }

  /// Which names could only be answered for by this responder, and cannot be now.
  public struct Foresee: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.responder

    /// The names of an order that may be made.
    public struct Parameters: Codable, Sendable, Traced {
      /// The names to be proved.
      public var names: [DNSName]
      /// The connector's id of the device that wants the certificate.
      public var device: String?
      /// The caller's trace.
      public var trace: TraceContext?

      /// The names of an order for a device.
      public init(names: [DNSName], device: String?) {
        self.names = names
        self.device = device
      }
    }

    /// What is in the way.
    public struct Reply: Codable, Sendable {
      /// The names that would fail.
      public var obstacles: [Obstacle]

      /// What the responder foresees.
      public init(obstacles: [Obstacle]) {
        self.obstacles = obstacles
      }
    }
  }

  /// Takes a challenge answer into service.
  public struct Publish: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.responder

    /// A lease on a token.
    public struct Parameters: Codable, Sendable, Traced {
      /// Whom the lease belongs to.
      public var order: String
      /// The name to be proved.
      public var name: DNSName
      /// The challenge's token.
      public var token: ChallengeToken
      /// What to answer.
      public var keyAuthorization: KeyAuthorization
      /// The connector's id of the device that wants the certificate.
      public var device: String?
      /// When the lease ends by itself.
      public var expires: Instant
      /// The caller's trace.
      public var trace: TraceContext?

      /// A lease on a token for an order.
      public init(order: String, name: DNSName, token: ChallengeToken, keyAuthorization: KeyAuthorization, device: String?, expires: Instant) {
        self.order = order
        self.name = name
        self.token = token
        self.keyAuthorization = keyAuthorization
        self.device = device
        self.expires = expires
      }
    }

    /// What the responder says.
    public struct Reply: Codable, Sendable {
      /// Whether it serves the name.
      public var outcome: Outcome
      /// Whether the CA can only be satisfied by this responder.
      public var required: Bool

      /// A responder's answer.
      public init(_ outcome: Outcome, required: Bool = false) {
        self.outcome = outcome
        self.required = required
      }
    }
  }

  /// Ends the lease of one order on one token.
  public struct Withdraw: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.responder

    /// Who has asked for the token.
    public struct Reply: Codable, Sendable {
      /// The first requests for it, in their order; nil from a responder that does not see them.
      public var visits: [Visit]?

      /// A responder's answer.
      public init(visits: [Visit]? = nil) {
        self.visits = visits
      }
    }

    /// Which lease.
    public struct Parameters: Codable, Sendable, Traced {
      /// Whom the lease belongs to.
      public var order: String
      /// The challenge's token.
      public var token: ChallengeToken
      /// The caller's trace.
      public var trace: TraceContext?

      /// The lease of `order` on `token`.
      public init(order: String, token: ChallengeToken) {
        self.order = order
        self.token = token
      }
    }
  }

  /// The answer could not be put in place.
  public struct NotPublished: VarlinkFault, Hashable {
    /// Why, in one sentence.
    public var reason: String
    /// Whether the CA can only be satisfied by this responder.
    public var required: Bool

    /// A refusal with its reason.
    public init(reason: String, required: Bool) {
      self.reason = reason
      self.required = required
    }
  }
}

public import PKI
public import Telemetry
public import Varlink

extension VarlinkInterface {
  /// `org.acmeconnector.ACMEClient`
  public static let acmeClient = VarlinkInterface(
    "org.acmeconnector.ACMEClient", text: PackageResources.org_acmeconnector_ACMEClient_varlink,
    faults: [ACMEClient.Failed.self, Restarting.self])
}

/// The methods of `org.acmeconnector.ACMEClient`; what they promise is in the interface text.
public enum ACMEClient {
  /// The steps of an order that a caller can see.
  public enum Step: String, Codable, Sendable, CaseIterable {
    /// newOrder, and the authorizations.
    case ordering
    /// Answers are put in place, and the CA validates.
    case challenging
    /// The CSR is with the CA.
    case finalizing
    /// The chain is on disk.
    case issued
  }

  /// Obtains a certificate, or takes up the order that an earlier call began.
  public struct Issue: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.acmeClient

    /// What is to be issued.
    public struct Parameters: Codable, Sendable, CloselyTraced {
      /// The caller's id, under which the order is kept.
      public var request: String
      /// From whom.
      public var authority: Authority
      /// The CSR, PEM.
      public var csr: String
      /// The certificate that the new one takes the place of: the leaf, PEM (RFC 9773, section 5).
      public var replaces: String?
      /// Passed to the responders.
      public var device: String?
      /// Which trace categories are on.
      public var traced: [TraceCategory]?
      /// The caller's trace.
      public var trace: TraceContext?

      /// A certificate for `csr`, from `authority`, under the id `request`.
      public init(request: String, authority: Authority, csr: String, replaces: String? = nil, device: String?) {
        self.request = request
        self.authority = authority
        self.csr = csr
        self.replaces = replaces
        self.device = device
      }
    }

    /// One step; the last one has the chain.
    public struct Reply: Codable, Sendable, Hashable {
      /// How far the order is.
      public var step: Step
      /// The name that the step is about, where it is one.
      public var name: DNSName?
      /// The order's URL, once there is one.
      public var order: String?
      /// PEM, leaf first, no root. Only with ``Step/issued``.
      public var chain: String?
      /// The CA's alternate chains.
      public var alternates: [String]?
      /// How many newOrder requests this request has cost. Only with ``Step/issued``.
      public var newOrders: Int?
      /// The CA refused ``Parameters/replaces``, and the order was made without it. Only with ``Step/issued``.
      public var replacesRefused: Bool?
      /// The CA's clock, where it has just shown one.
      public var date: Instant?

      /// A step of an order.
      public init(
        _ step: Step, name: DNSName? = nil, order: String? = nil, chain: String? = nil, alternates: [String]? = nil, newOrders: Int? = nil,
        replacesRefused: Bool? = nil, date: Instant? = nil
      ) {
        self.step = step
        self.name = name
        self.order = order
        self.chain = chain
        self.alternates = alternates
        self.newOrders = newOrders
        self.replacesRefused = replacesRefused
        self.date = date
      }
    }
  }

  /// Forgets what is kept under a request id.
  public struct Release: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.acmeClient
    /// There is nothing to say.
    public typealias Reply = NoMembers

    /// Which request.
    public struct Parameters: Codable, Sendable, Traced {
      /// The caller's id.
      public var request: String
      /// The caller's trace.
      public var trace: TraceContext?

      /// The request to forget.
      public init(request: String) {
        self.request = request
      }
    }
  }

  /// An order on disk.
  public struct Order: Codable, Sendable, Hashable {
    /// The caller's id.
    public var request: String
    /// The CA's directory.
    public var directory: String
    /// How far it came.
    public var step: Step
    /// The order's URL, once there is one.
    public var url: String?
    /// Its names.
    public var names: [DNSName]
    /// When it began.
    public var since: Instant

    /// An order on disk.
    public init(request: String, directory: String, step: Step, url: String?, names: [DNSName], since: Instant) {
      self.request = request
      self.directory = directory
      self.step = step
      self.url = url
      self.names = names
      self.since = since
    }
  }

  /// The orders on disk.
  public struct ListOrders: VarlinkListMethod {
    /// The interface.
    public static let interface = VarlinkInterface.acmeClient

    /// After which request a part begins.
    public typealias Parameters = OnlyAfter

    /// A part of them.
    public struct Reply: Codable, Sendable, VarlinkListPart {
      /// By request.
      public var orders: [Order]
      /// `after` of the next part; nil if this is the last one.
      public var next: String?

      /// A part of the list.
      public init(orders: [Order], next: String? = nil) {
        self.orders = orders
        self.next = next
      }

      /// The orders.
      public var entries: [Order] { orders }
      /// A part of the list.
      public init(entries: [Order], next: String?) { self.init(orders: entries, next: next) }
    }

    /// The request.
    public static func place(of order: Order) -> String { order.request }
  }

  /// An authority, and a trace.
  public struct AuthorityParameters: Codable, Sendable, CloselyTraced {
    /// Which CA, and how.
    public var authority: Authority
    /// Which trace categories are on.
    public var traced: [TraceCategory]?
    /// The caller's trace.
    public var trace: TraceContext?

    /// About one authority.
    public init(authority: Authority) {
      self.authority = authority
    }
  }

  /// Reads the CA's directory.
  public struct DescribeAuthority: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.acmeClient
    /// Which CA.
    public typealias Parameters = AuthorityParameters

    /// What the CA says.
    public struct Reply: Codable, Sendable {
      /// What the CA says.
      public var description: AuthorityDescription

      /// A CA's own description.
      public init(description: AuthorityDescription) {
        self.description = description
      }
    }
  }
}

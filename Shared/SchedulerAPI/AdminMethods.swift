public import PKI
public import Telemetry
public import Varlink

extension VarlinkInterface {
  /// `org.acmeconnector.Admin`
  public static let admin = VarlinkInterface(
    "org.acmeconnector.Admin", text: PackageResources.org_acmeconnector_Admin_varlink,
    faults: [AdminMethods.Refused.self, AdminMethods.NotFound.self, Restarting.self])
}

/// The methods of `org.acmeconnector.Admin`; what they promise is in the interface text.
public enum AdminMethods {
  /// The whole at a glance.
  public struct Status: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin
    /// Nothing but a trace.
    public typealias Parameters = OnlyTrace

    /// The whole at a glance.
    public struct Reply: Codable, Sendable, Hashable {
      /// The program's version.
      public var version: String
      /// Since when the scheduler runs.
      public var startedAt: Instant
      /// Whether a CA is set (`authority.directory`), so that CSRs are taken. Consent to its terms is not looked at: without it orders fail.
      public var configured: Bool
      /// The CA's directory.
      public var authority: String?
      /// Why it cannot be used, if it cannot.
      public var outage: AuthorityOutage?
      /// How many alarms stand.
      public var alarms: Int
      /// How many devices are known.
      public var devices: Int
      /// How many names are held.
      public var names: Int
      /// How many requests are in which state.
      public var requests: [StateCount]
      /// When the first certificate in use ends.
      public var nextExpiry: Instant?
      /// The version of the database's schema.
      public var schemaVersion: Int
      /// The database is a restored backup: until then the CA's limits are taken for spent.
      public var cautiousUntil: Instant?

      /// The whole at a glance.
      public init(
        version: String, startedAt: Instant, configured: Bool, authority: String? = nil, outage: AuthorityOutage? = nil, alarms: Int = 0,
        devices: Int, names: Int, requests: [StateCount], nextExpiry: Instant? = nil, schemaVersion: Int,
        cautiousUntil: Instant? = nil
      ) {
        self.version = version
        self.startedAt = startedAt
        self.configured = configured
        self.authority = authority
        self.outage = outage
        self.alarms = alarms
        self.devices = devices
        self.names = names
        self.requests = requests
        self.nextExpiry = nextExpiry
        self.schemaVersion = schemaVersion
        self.cautiousUntil = cautiousUntil
      }
    }
  }

  /// Gives a name to the device that waits for it.
  public struct ApproveName: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin
    /// There is nothing to say.
    public typealias Reply = NoMembers

    /// Which name, to whom.
    public struct Parameters: Codable, Sendable, Traced {
      /// The name.
      public var name: DNSName
      /// The device that gets it.
      public var device: DeviceID
      /// The caller's trace.
      public var trace: TraceContext?

      /// A name and the device that gets it.
      public init(name: DNSName, device: DeviceID) {
        self.name = name
        self.device = device
      }
    }
  }

  /// One certificate's chain.
  public struct GetChain: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin

    /// Whose.
    public struct Parameters: Codable, Sendable, Traced {
      /// The request.
      public var request: RequestID
      /// The caller's trace.
      public var trace: TraceContext?

      /// Which request.
      public init(request: RequestID) {
        self.request = request
      }
    }

    /// The chain.
    public struct Reply: Codable, Sendable {
      /// PEM, leaf first, no root.
      public var chain: String

      /// A chain.
      public init(chain: String) {
        self.chain = chain
      }
    }
  }

  /// Tries again.
  public struct Renew: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin

    /// Which requests; all failed ones if none is named.
    public struct Parameters: Codable, Sendable, Traced {
      /// One request.
      public var request: RequestID?
      /// All of a device.
      public var device: DeviceID?
      /// Those with this name.
      public var name: DNSName?
      /// Even those whose certificate is valid.
      public var force: Bool
      /// The caller's trace.
      public var trace: TraceContext?

      /// Which requests to try again.
      public init(request: RequestID? = nil, device: DeviceID? = nil, name: DNSName? = nil, force: Bool) {
        self.request = request
        self.device = device
        self.name = name
        self.force = force
      }
    }

    /// What is queued now.
    public struct Reply: Codable, Sendable {
      /// The most requests that are named.
      private static let mostNamed = 200

      /// The first requests, 200 at most.
      public var requests: [RequestID]
      /// How many there are.
      public var count: Int

      /// The requests that are queued now, all of them.
      public init(requests: [RequestID]) {
        self.requests = Array(requests.prefix(Self.mostNamed))
        self.count = requests.count
      }
    }
  }

  /// A CSR of a device that cannot connect.
  public struct Request: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin

    /// The CSR, and the administrator's name for the device.
    public struct Parameters: Codable, Sendable, Traced {
      /// The administrator's name for the device.
      public var device: String
      /// PEM.
      public var csr: String
      /// Order now, even if the certificate at hand is not due.
      public var force: Bool
      /// The caller's trace.
      public var trace: TraceContext?

      /// A CSR under the administrator's name for its device.
      public init(device: String, csr: String, force: Bool) {
        self.device = device
        self.csr = csr
        self.force = force
      }
    }

    /// One state; the last one has the chain or a text.
    public struct Reply: Codable, Sendable, Hashable {
      /// The request.
      public var request: RequestID
      /// Where it stands.
      public var state: RequestState
      /// PEM, leaf first, no root.
      public var chain: String?
      /// Why there is none, in one sentence.
      public var text: String?

      /// One state of the request.
      public init(request: RequestID, state: RequestState, chain: String? = nil, text: String? = nil) {
        self.request = request
        self.state = state
        self.chain = chain
        self.text = text
      }
    }
  }

  /// The administrator cannot have that.
  public struct Refused: VarlinkFault, Hashable {
    /// A word of the device protocol, or unknownSetting, badValue, fixedSetting.
    public var error: String
    /// One sentence.
    public var text: String
    /// The name it concerns.
    public var name: DNSName?

    /// A refusal.
    public init(error: String, text: String, name: DNSName? = nil) {
      self.error = error
      self.text = text
      self.name = name
    }
  }

  /// There is no such thing.
  public struct NotFound: VarlinkFault, Hashable {
    /// What was looked for: a device, a request, a certificate, a claim or a campaign.
    public var what: String
    /// Which.
    public var which: String?

    /// What was looked for.
    public init(what: String, which: String? = nil) {
      self.what = what
      self.which = which
    }
  }
}

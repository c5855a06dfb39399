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

      /// The whole at a glance.
      public init(
        version: String, startedAt: Instant, configured: Bool, authority: String? = nil, devices: Int, names: Int, requests: [StateCount],
        nextExpiry: Instant? = nil, schemaVersion: Int
      ) {
        self.version = version
        self.startedAt = startedAt
        self.configured = configured
        self.authority = authority
        self.devices = devices
        self.names = names
        self.requests = requests
        self.nextExpiry = nextExpiry
        self.schemaVersion = schemaVersion
      }
    }
  }

  /// Devices.
  public struct ListDevices: VarlinkListMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin

    /// Which ones.
    public struct Parameters: Codable, Sendable, Traced, VarlinkListSelection {
      /// Only those with this id, key or name.
      public var called: String?
      /// Only those after this one.
      public var after: String?
      /// The caller's trace.
      public var trace: TraceContext?

      /// Which devices.
      public init(called: String? = nil, after: String? = nil) {
        self.called = called
        self.after = after
      }
    }

    /// A part of them.
    public struct Reply: Codable, Sendable, VarlinkListPart {
      /// By id.
      public var devices: [DeviceView]
      /// `after` of the next part; nil if this is the last one.
      public var next: String?

      /// A part of the list.
      public init(devices: [DeviceView], next: String? = nil) {
        self.devices = devices
        self.next = next
      }

      /// The devices.
      public var entries: [DeviceView] { devices }
      /// A part of the list.
      public init(entries: [DeviceView], next: String?) { self.init(devices: entries, next: next) }
    }

    /// The id.
    public static func place(of device: DeviceView) -> String { device.id.rawValue }
  }

  /// Names.
  public struct ListNames: VarlinkListMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin

    /// Which ones.
    public struct Parameters: Codable, Sendable, Traced, VarlinkListSelection {
      /// Only this one.
      public var name: DNSName?
      /// Only those of one device.
      public var device: DeviceID?
      /// Only those after this one.
      public var after: String?
      /// The caller's trace.
      public var trace: TraceContext?

      /// Which names.
      public init(name: DNSName? = nil, device: DeviceID? = nil, after: String? = nil) {
        self.name = name
        self.device = device
        self.after = after
      }
    }

    /// A part of them.
    public struct Reply: Codable, Sendable, VarlinkListPart {
      /// In the order of the alphabet.
      public var names: [NameView]
      /// `after` of the next part; nil if this is the last one.
      public var next: String?

      /// A part of the list.
      public init(names: [NameView], next: String? = nil) {
        self.names = names
        self.next = next
      }

      /// The names.
      public var entries: [NameView] { names }
      /// A part of the list.
      public init(entries: [NameView], next: String?) { self.init(names: entries, next: next) }
    }

    /// The name.
    public static func place(of name: NameView) -> String { name.name.value }
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

  /// Requests and their certificates.
  public struct ListCertificates: VarlinkListMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin

    /// Which ones.
    public struct Parameters: Codable, Sendable, Traced, VarlinkListSelection {
      /// Only those of one device.
      public var device: DeviceID?
      /// Superseded ones too.
      public var all: Bool
      /// Only those after the one with this number.
      public var after: Int?
      /// The caller's trace.
      public var trace: TraceContext?

      /// Which requests.
      public init(device: DeviceID? = nil, all: Bool, after: Int? = nil) {
        self.device = device
        self.all = all
        self.after = after
      }
    }

    /// A part of them.
    public struct Reply: Codable, Sendable, VarlinkListPart {
      /// Oldest first.
      public var certificates: [CertificateView]
      /// `after` of the next part; nil if this is the last one.
      public var next: Int?

      /// A part of the list.
      public init(certificates: [CertificateView], next: Int? = nil) {
        self.certificates = certificates
        self.next = next
      }

      /// The requests.
      public var entries: [CertificateView] { certificates }
      /// A part of the list.
      public init(entries: [CertificateView], next: Int?) { self.init(certificates: entries, next: next) }
    }

    /// The number.
    public static func place(of certificate: CertificateView) -> Int { certificate.number }
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

  /// What happened.
  public struct ListEvents: VarlinkListMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin

    /// Which events.
    public struct Parameters: Codable, Sendable, Traced, VarlinkListSelection {
      /// Only those after this one.
      public var after: Int?
      /// Without `after`: how many of the newest; 100 if it is nil.
      public var limit: Int?
      /// Only those of one device.
      public var device: DeviceID?
      /// The caller's trace.
      public var trace: TraceContext?

      /// Which events.
      public init(after: Int? = nil, limit: Int? = nil, device: DeviceID? = nil) {
        self.after = after
        self.limit = limit
        self.device = device
      }
    }

    /// A part of them.
    public struct Reply: Codable, Sendable, VarlinkListPart {
      /// Oldest first.
      public var events: [EventView]
      /// `after` of the next part; nil if this is the last one.
      public var next: Int?

      /// A part of the list.
      public init(events: [EventView], next: Int? = nil) {
        self.events = events
        self.next = next
      }

      /// The events.
      public var entries: [EventView] { events }
      /// A part of the list.
      public init(entries: [EventView], next: Int?) { self.init(events: entries, next: next) }
    }

    /// The number.
    public static func place(of event: EventView) -> Int { event.id }
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
      /// The requests.
      public var requests: [RequestID]

      /// The requests that are queued now.
      public init(requests: [RequestID]) {
        self.requests = requests
      }
    }
  }

  /// A CSR of a device that can not connect.
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

  /// All settings.
  public struct ListSettings: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin
    /// Nothing but a trace.
    public typealias Parameters = OnlyTrace

    /// The settings.
    public struct Reply: Codable, Sendable {
      /// In the order of the alphabet.
      public var settings: [SettingView]

      /// The settings.
      public init(settings: [SettingView]) {
        self.settings = settings
      }
    }
  }

  /// Stores a value, or goes back to the default.
  public struct ChangeSetting: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin

    /// Which setting, and its new value.
    public struct Parameters: Codable, Sendable, Traced {
      /// Its name.
      public var key: String
      /// Its new value; nil goes back to the default.
      public var value: String?
      /// The caller's trace.
      public var trace: TraceContext?

      /// A setting and its new value.
      public init(key: String, value: String? = nil) {
        self.key = key
        self.value = value
      }
    }

    /// The setting as it is now.
    public struct Reply: Codable, Sendable {
      /// The setting.
      public var setting: SettingView

      /// The setting as it is now.
      public init(setting: SettingView) {
        self.setting = setting
      }
    }
  }

  /// Asks a CA what it is.
  public struct DescribeAuthority: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin

    /// Which CA.
    public struct Parameters: Codable, Sendable, Traced {
      /// The URL of its directory, or of its parent; nil for the CA that is set.
      public var directory: String?
      /// The path of a PEM file that replaces the system's roots for its TLS.
      public var trustRoots: String?
      /// The caller's trace.
      public var trace: TraceContext?

      /// Which CA to ask.
      public init(directory: String? = nil, trustRoots: String? = nil) {
        self.directory = directory
        self.trustRoots = trustRoots
      }
    }

    /// What it says.
    public struct Reply: Codable, Sendable, Hashable {
      /// The directory's URL, as it was found.
      public var directory: String
      /// Where its terms of service are.
      public var termsOfService: String?
      /// Its web site.
      public var website: String?
      /// Whether an account needs external account binding (RFC 8555, section 7.3.4).
      public var externalAccountRequired: Bool
      /// Its clock, where it shows one.
      public var date: Instant?

      /// What a CA says of itself.
      public init(directory: String, termsOfService: String? = nil, website: String? = nil, externalAccountRequired: Bool, date: Instant? = nil) {
        self.directory = directory
        self.termsOfService = termsOfService
        self.website = website
        self.externalAccountRequired = externalAccountRequired
        self.date = date
      }
    }
  }

  /// What is traced.
  public struct ListTraces: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin
    /// Nothing but a trace context.
    public typealias Parameters = OnlyTrace

    /// What is traced.
    public struct Reply: Codable, Sendable, Hashable {
      /// All categories.
      public var traces: [TraceView]

      /// What is traced.
      public init(traces: [TraceView]) {
        self.traces = traces
      }
    }
  }

  /// Switches trace categories.
  public struct SetTrace: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin
    /// What is traced now.
    public typealias Reply = ListTraces.Reply

    /// Which ones, and for whom.
    public struct Parameters: Codable, Sendable, Traced {
      /// The categories.
      public var categories: [TraceCategory]
      /// On or off.
      public var on: Bool
      /// For this device only.
      public var device: DeviceID?
      /// The caller's trace.
      public var trace: TraceContext?

      /// Categories to switch.
      public init(categories: [TraceCategory], on: Bool, device: DeviceID? = nil) {
        self.categories = categories
        self.on = on
        self.device = device
      }
    }
  }

  /// The administrator can not have that.
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
    /// What was looked for.
    public var what: String

    /// What was looked for.
    public init(what: String) {
      self.what = what
    }
  }
}

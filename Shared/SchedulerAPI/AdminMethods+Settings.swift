public import PKI
public import Telemetry
public import Varlink

extension AdminMethods {
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
}

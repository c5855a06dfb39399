public import PKI
public import Telemetry
public import Varlink

extension AdminMethods {
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
}

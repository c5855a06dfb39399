public import PKI
public import Telemetry
public import Varlink

extension VarlinkInterface {
  /// `org.acmeconnector.Scheduler`
  public static let scheduler = VarlinkInterface(
    "org.acmeconnector.Scheduler", text: PackageResources.org_acmeconnector_Scheduler_varlink,
    faults: [SchedulerMethods.Refused.self, SchedulerMethods.NotFound.self, SchedulerMethods.Resync.self, Restarting.self])
}

/// The methods of `org.acmeconnector.Scheduler`; what they promise is in the interface text.
public enum SchedulerMethods {
  /// A device is connected.
  public struct Register: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.scheduler

    /// Who, and what it tells about itself.
    public struct Parameters: Codable, Sendable, Traced {
      /// Who is there.
      public var identity: DeviceIdentity
      /// What it tells; nil at login.
      public var description: DeviceDescription?
      /// The caller's trace.
      public var trace: TraceContext?

      /// A device that is connected.
      public init(identity: DeviceIdentity, description: DeviceDescription? = nil) {
        self.identity = identity
        self.description = description
      }
    }

    /// Its id and settings.
    public struct Reply: Codable, Sendable {
      /// The connector's id of the device.
      public var device: DeviceID
      /// What devices are told.
      public var settings: DeviceSettings

      /// The device's id and settings.
      public init(device: DeviceID, settings: DeviceSettings) {
        self.device = device
        self.settings = settings
      }
    }
  }

  /// State plus changes for all registered devices.
  public struct Watch: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.scheduler
    /// Nothing but a trace.
    public typealias Parameters = OnlyTrace

    /// One item: a request, a wish, an alarm, settings, or what is traced.
    public struct Reply: Codable, Sendable, Hashable {
      /// Whom it is for; nil for all.
      public var device: DeviceID?
      /// A request and where it stands.
      public var request: RequestView?
      /// The connector wants a CSR.
      public var renewal: RenewalWish?
      /// An alarm of the device, or its end.
      public var alarm: DeviceAlarm?
      /// New settings.
      public var settings: DeviceSettings?
      /// The gateway's own settings, beside those of all devices.
      public var gateway: GatewaySettings?
      /// For which devices messages are traced from now on.
      public var tracing: TraceSelection?

      /// One item.
      public init(
        device: DeviceID? = nil, request: RequestView? = nil, renewal: RenewalWish? = nil, alarm: DeviceAlarm? = nil,
        settings: DeviceSettings? = nil, gateway: GatewaySettings? = nil, tracing: TraceSelection? = nil
      ) {
        self.device = device
        self.request = request
        self.renewal = renewal
        self.alarm = alarm
        self.settings = settings
        self.gateway = gateway
        self.tracing = tracing
      }
    }
  }

  /// The device may not have what it asked for.
  public struct Refused: VarlinkFault, Hashable {
    /// A word of the device protocol.
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

  /// There is no such thing, or it belongs to another device.
  public struct NotFound: VarlinkFault, Hashable {
    /// What was looked for.
    public var what: String

    /// What was looked for.
    public init(what: String) {
      self.what = what
    }
  }

  /// The reader of Watch was too slow.
  public struct Resync: VarlinkFault, Hashable {
    /// The error has no parameters.
    public init() {}
  }
}

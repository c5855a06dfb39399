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

  /// Takes a CSR.
  public struct Submit: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.scheduler

    /// The CSR, and what the device says about it.
    public struct Parameters: Codable, Sendable, Traced {
      /// Whose it is.
      public var device: DeviceID
      /// PEM, or base64 of the DER.
      public var csr: String
      /// Which of the device's certificates it is for.
      public var slot: String
      /// If given, exactly the names of the CSR.
      public var dnsNames: [String]?
      /// The certificate that it replaces.
      public var replaces: Fingerprint?
      /// Order now, even if the certificate at hand is not due.
      public var force: Bool
      /// The caller's trace.
      public var trace: TraceContext?

      /// A CSR of a device.
      public init(device: DeviceID, csr: String, slot: String, dnsNames: [String]? = nil, replaces: Fingerprint? = nil, force: Bool) {
        self.device = device
        self.csr = csr
        self.slot = slot
        self.dnsNames = dnsNames
        self.replaces = replaces
        self.force = force
      }
    }

    /// The request, which is on disk now.
    public struct Reply: Codable, Sendable {
      /// Where it stands.
      public var request: RequestView

      /// The request that holds the CSR.
      public init(request: RequestView) {
        self.request = request
      }
    }
  }

  /// Where a request of a device stands.
  public struct Resume: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.scheduler

    /// Which request: by id, by CSR, or the newest of a slot.
    public struct Parameters: Codable, Sendable, Traced {
      /// Whose it is.
      public var device: DeviceID
      /// Its id.
      public var request: RequestID?
      /// SHA-256 of the CSR's DER.
      public var csrHash: Fingerprint?
      /// Which of the device's certificates.
      public var slot: String?
      /// The caller's trace.
      public var trace: TraceContext?

      /// Which request.
      public init(device: DeviceID, request: RequestID? = nil, csrHash: Fingerprint? = nil, slot: String? = nil) {
        self.device = device
        self.request = request
        self.csrHash = csrHash
        self.slot = slot
      }
    }

    /// The request.
    public struct Reply: Codable, Sendable {
      /// Where it stands.
      public var request: RequestView

      /// The request.
      public init(request: RequestView) {
        self.request = request
      }
    }
  }

  /// A device was handed its certificate.
  public struct Delivered: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.scheduler
    /// There is nothing to say.
    public typealias Reply = NoMembers

    /// Which, to whom.
    public struct Parameters: Codable, Sendable, Traced {
      /// Whose it is.
      public var device: DeviceID
      /// The request that led to it.
      public var request: RequestID
      /// The caller's trace.
      public var trace: TraceContext?

      /// A certificate that its device was handed.
      public init(device: DeviceID, request: RequestID) {
        self.device = device
        self.request = request
      }
    }
  }

  /// A device's receipt.
  public struct Installed: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.scheduler
    /// There is nothing to say.
    public typealias Reply = NoMembers

    /// What was installed, or why not.
    public struct Parameters: Codable, Sendable, Traced {
      /// Whose it is.
      public var device: DeviceID
      /// Its id.
      public var request: RequestID
      /// The certificate that is installed.
      public var fingerprint: Fingerprint?
      /// Why it is not.
      public var failure: String?
      /// The caller's trace.
      public var trace: TraceContext?

      /// A device's receipt for a certificate.
      public init(device: DeviceID, request: RequestID, fingerprint: Fingerprint? = nil, failure: String? = nil) {
        self.device = device
        self.request = request
        self.fingerprint = fingerprint
        self.failure = failure
      }
    }
  }

  /// What became of a wish for a CSR.
  public struct AnswerRenewal: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.scheduler
    /// There is nothing to say.
    public typealias Reply = NoMembers

    /// Who was asked for what, and the answer.
    public struct Parameters: Codable, Sendable, Traced {
      /// Who was asked.
      public var device: DeviceID
      /// Which of its certificates.
      public var slot: String
      /// What is known.
      public var answer: RenewalAnswer
      /// The caller's trace.
      public var trace: TraceContext?

      /// An answer of a device.
      public init(device: DeviceID, slot: String, answer: RenewalAnswer) {
        self.device = device
        self.slot = slot
        self.answer = answer
      }
    }
  }

  /// Devices are connected.
  public struct NoteConnected: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.scheduler
    /// There is nothing to say.
    public typealias Reply = NoMembers
    /// The most devices of one call.
    public static let most = 1_000

    /// Which ones.
    public struct Parameters: Codable, Sendable, Traced {
      /// Those that are, or were a moment ago.
      public var devices: [DeviceID]
      /// The caller's trace.
      public var trace: TraceContext?

      /// Connected devices.
      public init(devices: [DeviceID]) {
        self.devices = devices
      }
    }
  }

  /// Who answers challenges has changed.
  public struct LookAgain: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.scheduler
    /// There is nothing to say.
    public typealias Reply = NoMembers

    /// By which device.
    public struct Parameters: Codable, Sendable, Traced {
      /// The device that answers now, or does not any more.
      public var device: DeviceID
      /// The caller's trace.
      public var trace: TraceContext?

      /// A device that answers, or does not any more.
      public init(device: DeviceID) {
        self.device = device
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

public import PKI
public import Telemetry
public import Varlink

// A device's CSR, from its arrival to the receipt for the certificate.
extension SchedulerMethods {
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
}

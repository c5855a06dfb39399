public import PKI
public import Telemetry
public import Varlink

extension AdminMethods {
  /// A device, and a trace.
  public struct DeviceParameters: Codable, Sendable, Traced {
    /// Which device.
    public var device: DeviceID
    /// The caller's trace.
    public var trace: TraceContext?

    /// About one device.
    public init(device: DeviceID) {
      self.device = device
    }
  }

  /// How many names are concerned.
  public struct NameCount: Codable, Sendable, Hashable {
    /// So many.
    public var nameCount: Int

    /// So many names.
    public init(nameCount: Int) {
      self.nameCount = nameCount
    }
  }

  /// Ends what the connector does for a device.
  public struct RetireDevice: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin
    /// Which one.
    public typealias Parameters = DeviceParameters
    /// The names that are free now.
    public typealias Reply = NameCount
  }

  /// Takes a retired device back.
  public struct ReinstateDevice: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin
    /// Which one.
    public typealias Parameters = DeviceParameters
    /// The names that it holds again.
    public typealias Reply = NameCount
  }

  /// Gives the names and the history of a device to another one.
  public struct ReplaceDevice: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin
    /// The names that moved.
    public typealias Reply = NameCount

    /// Which device, and who takes its place.
    public struct Parameters: Codable, Sendable, Traced {
      /// The device that goes.
      public var device: DeviceID
      /// The one that takes its place.
      public var successor: DeviceID
      /// The caller's trace.
      public var trace: TraceContext?

      /// A device and its successor.
      public init(device: DeviceID, successor: DeviceID) {
        self.device = device
        self.successor = successor
      }
    }
  }

  /// Has certificates revoked.
  public struct Revoke: VarlinkMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin

    /// Which ones, and why: one of fingerprint, serial number and device is given.
    public struct Parameters: Codable, Sendable, Traced {
      /// The certificate with this fingerprint.
      public var fingerprint: Fingerprint?
      /// The certificate with this serial number, in hexadecimal digits.
      public var serial: String?
      /// All valid ones of this device.
      public var device: DeviceID?
      /// Why.
      public var reason: RevocationReason
      /// The caller's trace.
      public var trace: TraceContext?

      /// What is to be revoked, and why.
      public init(fingerprint: Fingerprint? = nil, serial: String? = nil, device: DeviceID? = nil, reason: RevocationReason) {
        self.fingerprint = fingerprint
        self.serial = serial
        self.device = device
        self.reason = reason
      }
    }

    /// What is revoked now.
    public struct Reply: Codable, Sendable, Hashable {
      /// The serial numbers.
      public var serials: [String]

      /// What is revoked now.
      public init(serials: [String]) {
        self.serials = serials
      }
    }
  }
}

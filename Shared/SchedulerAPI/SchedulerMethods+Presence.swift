public import Telemetry
public import Varlink

// Who is there, and what follows from that.
extension SchedulerMethods {
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
}

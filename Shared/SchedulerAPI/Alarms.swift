public import PKI
public import Telemetry
public import Varlink

/// What is wrong, as a word; alarm servers know it by its number.
public enum AlarmCode: String, Codable, Sendable, Hashable, CaseIterable {
  /// A certificate cannot be had, for another reason than those that have a word of their own.
  case certificateFailed
  /// The CA cannot be reached, or does not work.
  case authorityUnavailable
  /// The account at the CA cannot be used.
  case accountProblem
  /// The CA could not validate a name.
  case nameUnreachable
  /// A limit of the CA stands in the way.
  case rateLimited
  /// Something waits for a device that has not come.
  case deviceAbsent
  /// Somebody logs in again and again, and is refused.
  case loginRefused
  /// A certificate was delivered and not installed.
  case notInstalled
  /// A certificate was installed, and its names serve another one.
  case notServed
  /// A device's clock is wrong.
  case clockWrong
  /// The scheduler does not keep up with what is to be done.
  case schedulerLate

  /// The number under which alarm servers know it, in the range of applications (their base is 0x00240000).
  public var number: String {
    switch self {
    case .certificateFailed: "0x0024f001"
    case .authorityUnavailable: "0x0024f002"
    case .accountProblem: "0x0024f003"
    case .nameUnreachable: "0x0024f004"
    case .rateLimited: "0x0024f005"
    case .deviceAbsent: "0x0024f006"
    case .loginRefused: "0x0024f007"
    case .notInstalled: "0x0024f008"
    case .notServed: "0x0024f009"
    case .clockWrong: "0x0024f00a"
    case .schedulerLate: "0x0024f00b"
    }
  }
}

/// How much an alarm matters.
public enum AlarmSeverity: String, Codable, Sendable, Hashable, CaseIterable, Comparable {
  /// There is plenty of time.
  case minor
  /// It becomes urgent.
  case indeterminate
  /// There is no valid certificate, or not for long.
  case major

  /// The number that the device protocol has for it.
  public var number: Int {
    switch self {
    case .minor: 0
    case .indeterminate: 1
    case .major: 2
    }
  }

  /// Less grave is less.
  public static func < (left: AlarmSeverity, right: AlarmSeverity) -> Bool { left.number < right.number }
}

/// An alarm of one device, for that device.
public struct DeviceAlarm: Codable, Sendable, Hashable {
  /// What is wrong.
  public var code: AlarmCode
  /// How much it matters.
  public var severity: AlarmSeverity
  /// One sentence.
  public var text: String
  /// The name it concerns.
  public var name: DNSName?
  /// It stands no more.
  public var over: Bool

  /// An alarm, or its end.
  public init(code: AlarmCode, severity: AlarmSeverity, text: String, name: DNSName? = nil, over: Bool = false) {
    self.code = code
    self.severity = severity
    self.text = text
    self.name = name
    self.over = over
  }
}

/// An alarm as an administrator sees it.
public struct AlarmView: Codable, Sendable, Hashable {
  /// Later ones are higher.
  public var id: Int
  /// What is wrong.
  public var code: AlarmCode
  /// The number under which alarm servers know it.
  public var number: String
  /// How much it matters.
  public var severity: AlarmSeverity
  /// One sentence.
  public var text: String
  /// Whose it is; nil for the connector's own.
  public var device: DeviceID?
  /// Which of the device's certificates.
  public var slot: String?
  /// The name it concerns.
  public var name: DNSName?
  /// Since when it stands.
  public var since: Instant

  /// An alarm that stands.
  public init(
    id: Int, code: AlarmCode, severity: AlarmSeverity, text: String, device: DeviceID? = nil, slot: String? = nil, name: DNSName? = nil,
    since: Instant
  ) {
    self.id = id
    self.code = code
    number = code.number
    self.severity = severity
    self.text = text
    self.device = device
    self.slot = slot
    self.name = name
    self.since = since
  }
}

extension AdminMethods {
  /// The alarms that stand.
  public struct ListAlarms: VarlinkListMethod {
    /// The interface.
    public static let interface = VarlinkInterface.admin

    /// Whose.
    public struct Parameters: Codable, Sendable, Traced, VarlinkListSelection {
      /// Only those of this device.
      public var device: DeviceID?
      /// Only those after the one with this id.
      public var after: Int?
      /// The caller's trace.
      public var trace: TraceContext?

      /// Those of a device, or all.
      public init(device: DeviceID? = nil, after: Int? = nil) {
        self.device = device
        self.after = after
      }
    }

    /// A part of them.
    public struct Reply: Codable, Sendable, VarlinkListPart {
      /// Oldest first.
      public var alarms: [AlarmView]
      /// `after` of the next part; nil if this is the last one.
      public var next: Int?

      /// A part of the list.
      public init(alarms: [AlarmView], next: Int? = nil) {
        self.alarms = alarms
        self.next = next
      }

      /// The alarms.
      public var entries: [AlarmView] { alarms }
      /// A part of the list.
      public init(entries: [AlarmView], next: Int?) { self.init(alarms: entries, next: next) }
    }

    /// The id.
    public static func place(of alarm: AlarmView) -> Int { alarm.id }
  }
}

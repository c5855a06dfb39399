import Logging
import PKI
import SchedulerAPI

/// What happened, before it is written down.
struct Event: Hashable {
  /// A stable word for each kind of event.
  enum Code: String, CaseIterable {
    case deviceFirstSeen, requestAccepted, requestRefused, requestSuperseded
    case nameClaimed, nameApproved
    case certificateIssued, certificateInstalled, installFailed, orderFailed
    case authorityFailed, authorityRecovered
    case renewalDue, renewalExplained, renewalPressing
    case alarmRaised, alarmCleared
    case settingChanged

    /// How much it matters.
    var severity: EventSeverity {
      switch self {
      case .orderFailed, .authorityFailed: .error
      case .requestRefused, .nameClaimed, .installFailed, .renewalPressing, .alarmRaised: .warning
      case .deviceFirstSeen, .requestAccepted, .requestSuperseded, .nameApproved, .certificateIssued, .certificateInstalled, .renewalDue,
        .renewalExplained, .authorityRecovered, .alarmCleared, .settingChanged:
        .information
      }
    }
  }

  let code: Code
  var text: String
  var device: DeviceID?
  var request: RequestID?
  var name: DNSName?

  init(_ code: Code, _ text: String, device: DeviceID? = nil, request: RequestID? = nil, name: DNSName? = nil) {
    self.code = code
    self.text = text
    self.device = device
    self.request = request
    self.name = name
  }
}

extension Event {
  /// An event stands in the journal too, where its trace joins it to what the other services did.
  func log(to logger: Logger) {
    var metadata: Logger.Metadata = ["event": "\(code.rawValue)"]
    metadata["device"] = device.map { "\($0)" }
    metadata["request"] = request.map { "\($0)" }
    metadata["name"] = name.map { "\($0)" }
    logger.log(level: code.severity.logLevel, "\(text)", metadata: metadata)
  }
}

extension EventSeverity {
  fileprivate var logLevel: Logger.Level {
    switch self {
    case .information: .info
    case .warning: .warning
    case .error: .error
    }
  }
}

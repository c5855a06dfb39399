import Logging
import PKI
import SchedulerAPI
import Telemetry

/// What happened, before it is written down.
struct Event: Hashable {
  /// A stable word for each kind of event.
  enum Code: String, CaseIterable {
    case deviceFirstSeen, deviceRetired, deviceReinstated, deviceReplaced
    case requestAccepted, requestRefused, requestSuperseded
    case nameClaimed, nameApproved, nameDiagnosed
    case certificateIssued, certificateInstalled, certificateServed, certificateRevoked, installFailed, orderFailed
    case authorityFailed, authorityRecovered
    case renewalDue, renewalExplained, renewalPressing
    case campaignBegan, campaignLate, campaignEnded
    case alarmRaised, alarmCleared
    case settingChanged, stateRestored

    /// How much it matters: what it matters in the journal.
    var severity: EventSeverity {
      switch inJournal.level {
      case .critical, .error: .error
      case .warning: .warning
      case .notice, .info, .debug, .trace: .information
      }
    }
  }

  let code: Code
  var text: String
  var device: DeviceID?
  var request: RequestID?
  var name: DNSName?
  /// The certificate's serial number; it stands in the journal only.
  var serial: String?

  init(_ code: Code, _ text: String, device: DeviceID? = nil, request: RequestID? = nil, name: DNSName? = nil, serial: String? = nil) {
    self.code = code
    self.text = text
    self.device = device
    self.request = request
    self.name = name
    self.serial = serial
  }
}

extension Event {
  /// An event stands in the journal too, where its trace joins it to what the other services did.
  func log(to logger: Logger) {
    logger.log(code.inJournal, "\(text)", metadata: [.device: device, .request: request, .name: name, .serial: serial])
  }
}

extension Event.Code {
  /// The same event as the journal has it.
  var inJournal: JournalEvent {
    switch self {
    case .deviceFirstSeen: .deviceFirstSeen
    case .deviceRetired: .deviceRetired
    case .deviceReinstated: .deviceReinstated
    case .deviceReplaced: .deviceReplaced
    case .requestAccepted: .requestAccepted
    case .requestRefused: .requestRefused
    case .requestSuperseded: .requestSuperseded
    case .nameClaimed: .nameClaimed
    case .nameApproved: .nameApproved
    case .nameDiagnosed: .nameDiagnosed
    case .certificateIssued: .certificateIssued
    case .certificateInstalled: .certificateInstalled
    case .certificateServed: .certificateServed
    case .certificateRevoked: .certificateRevoked
    case .installFailed: .installFailed
    case .orderFailed: .orderFailed
    case .authorityFailed: .authorityFailed
    case .authorityRecovered: .authorityRecovered
    case .renewalDue: .renewalDue
    case .renewalExplained: .renewalExplained
    case .renewalPressing: .renewalPressing
    case .campaignBegan: .campaignBegan
    case .campaignLate: .campaignLate
    case .campaignEnded: .campaignEnded
    case .alarmRaised: .alarmRaised
    case .alarmCleared: .alarmCleared
    case .settingChanged: .settingChanged
    case .stateRestored: .stateRestored
    }
  }
}

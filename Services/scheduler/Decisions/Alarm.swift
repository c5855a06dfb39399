import ACMEClientAPI
import PKI
import SchedulerAPI

/// Something that is wrong and stays so until it is mended.
struct Alarm: Hashable {
  let code: AlarmCode
  var severity: AlarmSeverity
  var text: String
  var name: DNSName?
}

extension AlarmCode {
  /// The alarm of a device whose certificate cannot be had for this reason.
  init(_ failure: AttemptFailure) {
    self =
      switch failure.error {
      case .nameUnreachable, .nameNotReady, .challengeFailed, .caaForbids: .nameUnreachable
      case .rateLimited, .namePaused: .rateLimited
      case .caUnavailable: .authorityUnavailable
      case .accountProblem, .notConfigured: .accountProblem
      default: .certificateFailed
      }
  }

  /// Whether it follows from what is known of one of a device's certificates; what others see of it, or of the device, is told apart.
  var isOfSlot: Bool { ![.clockWrong, .loginRefused, .notServed].contains(self) }

  /// Whether it says that a certificate cannot be had; of these one stands for a slot, the latest.
  var isFailure: Bool { [.nameUnreachable, .rateLimited, .certificateFailed].contains(self) }
}

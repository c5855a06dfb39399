import AppWebsocket
import SchedulerAPI

/// What the gateway does at the scheduler for one device.
enum Errand: Sendable {
  /// The device is connected; with a description, it has told about itself.
  case register(RegisterDevice?)
  case submit(RequestCertificate)
  case resume(GetCertificate.Key)
  /// A certificate was written to the device's connection.
  case delivered(ShortText)
  case installed(CertificateInstalled)
  case notInstalled(CertificateInstallFailed)
  /// The device was asked for a CSR for this slot, or has answered.
  case answerRenewal(ShortText, RenewalAnswer)
  /// The device answers challenges now, or does not any more.
  case lookAgain

  /// Whether it makes the device known.
  var isRegistration: Bool { if case .register = self { true } else { false } }

  /// What the device has told about itself.
  var description: RegisterDevice? { if case .register(let description) = self { description } else { nil } }

  /// What came of it.
  enum Outcome: Sendable {
    case registered(DeviceSettings)
    case request(RequestView)
    case receiptTaken
    case refused(ErrorToken, String)
  }
}

extension DeviceDescription {
  /// What a device tells about itself, as the scheduler takes it.
  init(_ message: RegisterDevice) {
    self.init(
      kind: message.type?.rawValue, product: message.product, version: message.version, name: message.name,
      roles: message.roles?.map(\.rawValue) ?? [], dnsNames: message.dnsNames ?? [], certificates: message.certificates ?? [],
      challenge: message.challenge?.rawValue, clock: message.clock)
  }
}

extension DeviceAlarm {
  /// The alarm in the words of the device protocol.
  var message: String? {
    guard let number = ShortText(code.number) else { return nil }
    return over
      ? AlarmCleared(code: number, severity: severity.number, sentence: text, dns: name).text
      : AlarmAdded(code: number, severity: severity.number, sentence: text, dns: name).text
  }
}

extension RenewCertificate {
  /// A wish in the words of the device protocol; nil for a slot that no device could be told.
  init?(_ wish: RenewalWish) {
    guard let slot = ShortText(wish.slot), let reason = Reason(rawValue: wish.reason.rawValue) else { return nil }
    self.init(slot: slot, fingerprint: wish.fingerprint, dnsNames: wish.names, reason: reason, newKey: wish.newKey, deadline: wish.deadline)
  }
}

import AppWebsocket
import SchedulerAPI

/// What the gateway does at the scheduler for one device.
enum Errand: Sendable {
  /// The device is connected; with a description, it has told about itself.
  case register(DeviceDescription?)
  case submit(RequestCertificate)
  case resume(GetCertificate.Key)
  case installed(CertificateInstalled)
  case notInstalled(CertificateInstallFailed)

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

/// What a device may send once it is logged in, and what the gateway answers; the session itself deals with the rest.
public enum DeviceMessage: Sendable, Hashable {
  case registerDevice(RegisterDevice)
  case requestCertificate(RequestCertificate)
  case getCertificate(GetCertificate)
  case certificateInstalled(CertificateInstalled)
  case certificateInstallFailed(CertificateInstallFailed)
  case renewCertificateResult(RenewCertificateResult)
  case challengeAddedResult(ChallengeAddedResult)
  case getChallenge(GetChallenge)
  case appInfo(AppInfo)
  case appCheckLogin(AppCheckLogin)

  /// Reads a message, or returns nil for one that is unknown.
  init?(_ envelope: Envelope) throws(MessageError) {
    switch envelope.name {
    case RegisterDevice.name: self = .registerDevice(try RegisterDevice(from: envelope))
    case RequestCertificate.name: self = .requestCertificate(try RequestCertificate(from: envelope))
    case GetCertificate.name: self = .getCertificate(try GetCertificate(from: envelope))
    case CertificateInstalled.name: self = .certificateInstalled(try CertificateInstalled(from: envelope))
    case CertificateInstallFailed.name: self = .certificateInstallFailed(try CertificateInstallFailed(from: envelope))
    case RenewCertificateResult.name: self = .renewCertificateResult(try RenewCertificateResult(from: envelope))
    case ChallengeAddedResult.name: self = .challengeAddedResult(try ChallengeAddedResult(from: envelope))
    case GetChallenge.name: self = .getChallenge(try GetChallenge(from: envelope))
    case AppInfo.name: self = .appInfo(try AppInfo(from: envelope))
    case AppCheckLogin.name: self = .appCheckLogin(try AppCheckLogin(from: envelope))
    default: return nil
    }
  }

  /// The name of the message, by which it is refused where it must be.
  public var name: MessageName {
    switch self {
    case .registerDevice: RegisterDevice.name
    case .requestCertificate: RequestCertificate.name
    case .getCertificate: GetCertificate.name
    case .certificateInstalled: CertificateInstalled.name
    case .certificateInstallFailed: CertificateInstallFailed.name
    case .renewCertificateResult: RenewCertificateResult.name
    case .challengeAddedResult: ChallengeAddedResult.name
    case .getChallenge: GetChallenge.name
    case .appInfo: AppInfo.name
    case .appCheckLogin: AppCheckLogin.name
    }
  }
}

/// What a device receives once it is logged in.
public enum ConnectorMessage: Sendable, Hashable {
  case registerDeviceResult(RegisterDeviceResult)
  case deviceSettingsUpdated(DeviceSettingsUpdated)
  case requestCertificateResult(RequestCertificateResult)
  case certificateState(CertificateState)
  case certificateReady(CertificateReady)
  case certificateFailed(CertificateFailed)
  case getCertificateResult(GetCertificateResult)
  case certificateInstalledResult(CertificateInstalledResult)
  case certificateInstallFailedResult(CertificateInstallFailedResult)
  case renewCertificate(RenewCertificate)
  case alarmAdded(AlarmAdded)
  case alarmCleared(AlarmCleared)
  case challengeAdded(ChallengeAdded)
  case challengeRemoved(ChallengeRemoved)
  case getChallengeResult(GetChallengeResult)
  /// An answer that is no success, to any message.
  case refusal(Refusal)

  /// Reads a message, or returns nil for one that is unknown.
  init?(_ envelope: Envelope) throws(MessageError) {
    // In an answer with the state of a request, an error is that of the request.
    if envelope["state"] == nil, let refusal = Refusal(envelope) {
      self = .refusal(refusal)
      return
    }
    switch envelope.name {
    case RegisterDeviceResult.name: self = .registerDeviceResult(try RegisterDeviceResult(from: envelope))
    case DeviceSettingsUpdated.name: self = .deviceSettingsUpdated(try DeviceSettingsUpdated(from: envelope))
    case RequestCertificateResult.name: self = .requestCertificateResult(try RequestCertificateResult(from: envelope))
    case CertificateState.name: self = .certificateState(try CertificateState(from: envelope))
    case CertificateReady.name: self = .certificateReady(try CertificateReady(from: envelope))
    case CertificateFailed.name: self = .certificateFailed(try CertificateFailed(from: envelope))
    case GetCertificateResult.name: self = .getCertificateResult(try GetCertificateResult(from: envelope))
    case CertificateInstalledResult.name: self = .certificateInstalledResult(CertificateInstalledResult())
    case CertificateInstallFailedResult.name: self = .certificateInstallFailedResult(CertificateInstallFailedResult())
    case RenewCertificate.name: self = .renewCertificate(try RenewCertificate(from: envelope))
    case AlarmAdded.name: self = .alarmAdded(try AlarmAdded(from: envelope))
    case AlarmCleared.name: self = .alarmCleared(try AlarmCleared(from: envelope))
    case ChallengeAdded.name: self = .challengeAdded(try ChallengeAdded(from: envelope))
    case ChallengeRemoved.name: self = .challengeRemoved(try ChallengeRemoved(from: envelope))
    case GetChallengeResult.name: self = .getChallengeResult(try GetChallengeResult(from: envelope))
    default: return nil
    }
  }
}

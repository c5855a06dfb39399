import AppWebsocket
import DeviceGatewayAPI
import Logging
import SchedulerAPI
import Telemetry

/// What the device says.
extension DeviceSession {
  func take(_ message: DeviceMessage, _ correlation: Correlation) {
    guard let connection else { return }
    switch message {
    case .appInfo(let question):
      send(AppInfoResult(app: question.app, info: .init(hidden: true)).text(correlation: correlation))
    case .appCheckLogin(let check):
      let isRight = if case .admitted = context.authenticator.judge(check, by: visitor?.kind, from: connection.origin) { true } else { false }
      send(AppCheckLoginResult(ok: isRight).text(correlation: correlation))
    case .renewCertificateResult(let result):
      context.logger.info("device answered RenewCertificate", metadata: metadata.merging([.state: result.accepted ? "accepted" : "refused"]))
      note(result.accepted ? .accepted : .declined, for: result.slot)
    case .challengeAddedResult(let result): note(result)
    case .getChallenge(let question): lookUp(question, correlation)
    case .registerDevice(let description):
      guard description.protocol >= DeviceProtocol.version else {
        let text = "Version \(description.protocol) of the protocol is not known here; this connector speaks version \(DeviceProtocol.version)."
        return refuse(message.name, .badMessage, text, correlation)
      }
      if let hardwareID = description.hwId { visitor?.identity.hardwareID = hardwareID.value }
      registration = correlation
      ask(.register(description), for: message, correlation)
    case .requestCertificate(let request): ask(.submit(request), for: message, correlation)
    case .getCertificate(let request): ask(.resume(request.key), for: message, correlation)
    case .certificateInstalled(let receipt): ask(.installed(receipt), for: message, correlation)
    case .certificateInstallFailed(let report): ask(.notInstalled(report), for: message, correlation)
    }
  }

  private func ask(_ errand: Errand, for message: DeviceMessage, _ correlation: Correlation) {
    guard visitor?.kind == .device else {
      return refuse(message.name, .notAllowed, "This login is for administration; log in with a device's secret.", correlation)
    }
    guard errands.count <= context.limits.waitingRequests else {
      return refuse(message.name, .busy, "Too many requests are waiting; send the next one when one is answered.", correlation)
    }
    enqueue(errand, answering: message.name, correlation)
  }

  func refuse(_ message: MessageName, _ error: ErrorToken, _ text: String, _ correlation: Correlation) {
    send(Refusal(of: message, error, text).text(correlation: correlation))
  }
}

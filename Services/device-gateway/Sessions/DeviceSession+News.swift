import AppWebsocket
import DeviceGatewayAPI
import Logging
import NIOCore
import PKI
import SchedulerAPI
import ServiceRuntime
import Telemetry

/// What the device is told of the connector's own accord.
extension DeviceSession {
  /// The scheduler has something to tell the device.
  func deliver(_ news: DeviceNews) {
    switch errands.hear(news) {
    case .held: return
    case .full: return close(.busy, "too much waits for this device")
    case .tell: break
    }
    switch news {
    case .request(let request): deliver(request)
    case .renewal(let wish): deliver(wish)
    case .alarm(let alarm): if let text = alarm.message { send(text) }
    }
  }

  /// A new CSR is wanted. That the device was told is told in turn: from then on it has some minutes.
  private func deliver(_ wish: RenewalWish) {
    guard let message = RenewCertificate(wish) else {
      return context.logger.log(.internalFault, "a CSR is wanted for a slot that no device could be told", metadata: metadata)
    }
    send(message.text)
    note(.told, for: message.slot)
  }

  func note(_ answer: RenewalAnswer, for slot: ShortText) {
    report(.answerRenewal(slot, answer))
  }

  /// Tells the scheduler what nobody waits for an answer to. One more than a device may have waiting: what happens again and again is dropped.
  private func report(_ errand: Errand) {
    guard visitor?.kind == .device, errands.count <= context.limits.waitingRequests else { return }
    enqueue(errand)
  }

  private func deliver(_ request: RequestView) {
    guard let report = RequestReport(request) else {
      return context.logger.log(.internalFault, "a request has an id or a state that no device could be told", metadata: metadata)
    }
    TraceContext.$current.withValue(request.trace) {
      tell(report.news, correlations[request.id])
    }
  }

  /// A message that follows from no request of the device; it belongs to its registration unless said otherwise.
  func tell(_ message: some Message, _ correlation: Correlation? = nil) {
    send(message.text(correlation: correlation ?? registration ?? .none))
  }

  /// The settings of devices have changed.
  func deliver(_ settings: DeviceSettings) {
    guard let registration else { return }
    send(DeviceSettingsUpdated(result(settings)).text(correlation: registration))
  }

  func tell(_ news: RequestReport.News, _ correlation: Correlation) {
    switch news {
    case .state(let state): send(state.text(correlation: correlation))
    case .failed(let failed): send(failed.text(correlation: correlation))
    case .ready(let ready):
      hand(over: ready.id, in: ready.text(correlation: correlation))
      context.logger.log(.certificateDelivered, "certificate sent to its device", metadata: metadata.merging([.request: ready.id]))
    }
  }

  /// Sends a message that has a certificate in it. That it was written is told in turn; where that fails, the receipt tells, or the next time.
  func hand(over id: ShortText, in text: String) {
    let written = eventLoop.makePromise(of: Void.self)
    written.futureResult.assumeIsolated().whenSuccess { [self] in
      RehearsedDeath.at("device-gateway.readySent")
      report(.delivered(id))
    }
    send(text, written: written)
  }

  func result(_ settings: DeviceSettings) -> RegisterDeviceResult {
    RegisterDeviceResult(
      renewDays: settings.renewDays, installDays: settings.installDays, maxDnsNames: settings.maxDnsNames,
      pin: context.pin, serverTime: context.clock.now())
  }
}

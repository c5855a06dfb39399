import AppWebsocket
import Logging
import SchedulerAPI
import Telemetry

/// What is done at the scheduler for the device, and what it is answered.
extension DeviceSession {
  /// Has an errand run when its turn comes.
  func enqueue(_ errand: Errand, answering message: MessageName? = nil, _ correlation: Correlation = .none) {
    let item = ErrandLine.Item(errand: errand, message: message, correlation: correlation, trace: TraceContext.current ?? .make())
    if let next = errands.add(item) { run(next) }
  }

  private func run(_ next: ErrandLine.Item) {
    guard let visitor else { return }
    TraceContext.$current.withValue(next.trace) {
      context.errands.run(next.errand, for: visitor.reference, as: visitor.identity, device: visitor.device)
    }
  }

  /// The errand under way has ended.
  func finished(_ errand: Errand, _ outcome: Errand.Outcome, device: DeviceID?) {
    // The connection may have ended meanwhile.
    guard let (done, sequel) = errands.finish() else { return }
    if let device { visitor?.device = device }
    TraceContext.$current.withValue(done.trace) { answer(done, outcome) }
    var isToLookAgain = false
    if let device, let visitor {
      isToLookAgain = context.challenges.met(device, on: visitor.reference, visitor.identity, saying: done.errand.description)
    }
    switch sequel {
    case .run(let next): run(next)
    case .tell(let news): for item in news { deliver(item) }
    }
    if isToLookAgain { enqueue(.lookAgain) }
  }

  private func answer(_ done: ErrandLine.Item, _ outcome: Errand.Outcome) {
    guard let message = done.message else { return }
    switch (outcome, done.errand) {
    case (.refused(let error, let text), _):
      context.logger.info("\(message) refused: \(text)", metadata: metadata.merging([.problem: error.rawValue]))
      refuse(message, error, text, done.correlation)
    case (.registered(let settings), _):
      send(result(settings).text(correlation: done.correlation))
    case (.request(let view), .submit):
      guard let report = RequestReport(view) else { return refuseUntellable(message, done.correlation) }
      correlations.remember(done.correlation, of: view.id)
      context.logger.info("CSR taken from its device", metadata: metadata.merging([.request: view.id, .state: view.state.rawValue]))
      send(report.submitted.text(correlation: done.correlation))
      if let outcome = report.outcome { tell(outcome, done.correlation) }
    case (.request(let view), _):
      guard let report = RequestReport(view) else { return refuseUntellable(message, done.correlation) }
      correlations.remember(done.correlation, of: view.id)
      let text = report.found.text(correlation: done.correlation)
      if case .ready = report.outcome { hand(over: report.id, in: text) } else { send(text) }
    case (.receiptTaken, .notInstalled):
      send(CertificateInstallFailedResult().text(correlation: done.correlation))
    case (.receiptTaken, _):
      send(CertificateInstalledResult().text(correlation: done.correlation))
    }
  }

  private func refuseUntellable(_ message: MessageName, _ correlation: Correlation) {
    context.logger.log(.internalFault, "the scheduler's answer has an id or a state that no device could be told", metadata: metadata)
    refuse(message, .internalError, "The connector could not do that; its log says why.", correlation)
  }
}

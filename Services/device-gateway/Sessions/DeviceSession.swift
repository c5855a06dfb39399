import AppWebsocket
import DeviceGatewayAPI
import Logging
import Metrics
import NIOConcurrencyHelpers
import NIOCore
import NIOWebSocket
import PKI
import SchedulerAPI
import ServiceRuntime
import Telemetry

/// The session of one connection: drives the protocol's state machine, has the door opened for those who prove a secret, and passes requests on
/// one after the other.
///
/// It lives on the connection's event loop and is called nowhere else.
final class DeviceSession: Conversation {
  private struct Waiting {
    let errand: Errand
    /// The message that is answered; nil when the errand is the gateway's own.
    let message: MessageName?
    let correlation: Correlation
    let trace: TraceContext
  }

  let house: House
  private let eventLoop: any EventLoop
  private var protocolSession = ServerSession(challenge: Challenge(random: .random(in: .min ... .max)))
  private var connection: Connection?
  /// Nil before the login.
  private(set) var visitor: Visitor?
  /// The first is under way, the others wait.
  private var errands: [Waiting] = []
  private var held = HeldNews()
  private var noise = LineAMinute()
  private var correlations = Correlations()
  /// That of `RegisterDevice`; nil if the device has not sent it.
  private var registration: Correlation?
  var lookups = LookupAllowance()

  init(in house: House, on eventLoop: any EventLoop) {
    self.house = house
    self.eventLoop = eventLoop
  }

  func began(_ connection: Connection) {
    self.connection = connection
  }

  func ended() {
    connection = nil
    errands = []
    if let visitor {
      house.devices.left(visitor.reference)
      house.challenges.left(visitor.reference)
    }
    visitor = nil
  }

  /// Each message begins a story of its own.
  func received(_ text: String) {
    TraceContext.$current.withValue(.make()) {
      trace("in", text)
      perform(protocolSession.handle(.received(text)))
    }
  }

  private func send(_ text: String, written: EventLoopPromise<Void>? = nil) {
    trace("out", text)
    guard let connection else {
      written?.fail(ChannelError.ioOnClosedChannel)
      return
    }
    connection.send(text, written: written)
  }

  private func trace(_ direction: String, _ text: String) {
    house.logger.trace(
      .appWebsocket, isOn: house.devices.isTraced(visitor?.device), "\(direction): \(MessageTrace(text))", metadata: metadata)
  }

  func close(_ code: CloseCode, _ reason: String) {
    connection?.close(WebSocketErrorCode(codeNumber: Int(code.rawValue)), reason)
  }

  private func perform(_ actions: [ServerSession.Action]) {
    for action in actions {
      switch action {
      case .send(let text): send(text)
      case .verify(let login, let challenge): verify(login, challenge)
      case .deliver(let message, let correlation): take(message, correlation)
      case .remark(let remark): sparingly { house.logger.notice("\(remark)", metadata: $0) }
      case .close(let code, let reason): close(code, reason)
      }
    }
  }

  /// Only so much is written as nobody can fill a disk with: of all strangers together, and of each device.
  private func sparingly(_ write: (LogFields) -> Void) {
    guard let unsaid = visitor == nil ? house.strangersNoise.withLockedValue({ $0.take(at: .now) }) : noise.take(at: .now) else { return }
    write(unsaid > 0 ? metadata.merging([.unsaid: unsaid]) : metadata)
  }

  private var metadata: LogFields {
    [
      .device: visitor?.device, .peer: connection?.peer, .login: visitor?.reference.login, .sip: visitor?.identity.sip,
    ]
  }
}

// MARK: - Login

extension DeviceSession {
  private func verify(_ login: Login, _ challenge: Challenge) {
    guard let connection else { return }
    let verdict: LoginVerdict
    switch house.doorkeeper.judge(login, challenge: challenge, from: connection.peer) {
    case .admitted(let admitted, let secret):
      house.refusedLogins.forget(login.subject)
      let isIn = enter(login.subject, by: admitted, secret, on: connection)
      verdict = isIn ? .accepted(domain: house.path.domain ?? login.subject.domain) : .refused
    case .refused:
      house.refusedLogins.note(login.subject, from: connection.peer, at: house.clock.now())
      verdict = .refused
    case .blocked(let pause):
      verdict = .blocked(retryAfterSec: Int(pause.components.seconds) + 1)
    }
    Counter(label: "gateway_logins", dimensions: [("outcome", verdict.word)]).increment()
    switch verdict {
    case .accepted: house.logger.info("login accepted", metadata: metadata)
    case .refused: house.logger.log(.loginRefused, "login refused", metadata: metadata)
    // Whoever goes on while blocked is slowed down by nothing.
    case .blocked: sparingly { house.logger.log(.loginBlocked, "login blocked", metadata: $0) }
    }
    perform(protocolSession.handle(.verified(verdict)))
    // The device is told first that it is in, and then what waits for it.
    registerAgain()
  }

  /// - Returns: whether the login is still one.
  private func enter(_ subject: LoginDigest.Subject, by login: StoredLogin, _ secret: LoginSecret, on connection: Connection) -> Bool {
    let reference = SessionReference(self, id: connection.id, login: login.name, secret: secret, eventLoop: eventLoop)
    guard house.devices.enter(reference, if: { house.doorkeeper.holds(secret, of: login.name) }) else { return false }
    visitor = Visitor(
      reference: reference, kind: login.kind, isLoginOfOneDevice: login.scope == .device,
      identity: DeviceIdentity(
        scope: login.schedulerScope, sip: ShortText(subject.sip)?.value, guid: ShortText(subject.guid)?.value,
        nameSuffixes: login.nameSuffixes.isEmpty ? nil : login.nameSuffixes, address: "\(connection.peer)"))
    connection.becameKnown()
    return true
  }

  /// Tells the scheduler that the device is connected: after the login, and when the scheduler has forgotten it.
  func registerAgain() {
    // One that waits serves as well; one under way may have come too early.
    guard let visitor, visitor.isKnown, !errands.dropFirst().contains(where: { $0.errand.isRegistration && $0.message == nil }) else { return }
    enqueue(.register(nil))
  }
}

// MARK: - What the device says

extension DeviceSession {
  private func take(_ message: DeviceMessage, _ correlation: Correlation) {
    guard let connection else { return }
    switch message {
    case .appInfo(let question):
      send(AppInfoResult(app: question.app, info: .init(hidden: true)).text(correlation: correlation))
    case .appCheckLogin(let check):
      let isRight = if case .admitted = house.doorkeeper.judge(check, by: visitor?.kind, from: connection.peer) { true } else { false }
      send(AppCheckLoginResult(ok: isRight).text(correlation: correlation))
    case .renewCertificateResult(let result):
      house.logger.info("device answered RenewCertificate", metadata: metadata.merging([.state: result.accepted ? "accepted" : "refused"]))
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
    guard errands.count <= house.limits.waitingRequests else {
      return refuse(message.name, .busy, "Too many requests are waiting; send the next one when one is answered.", correlation)
    }
    enqueue(errand, answering: message.name, correlation)
  }

  func refuse(_ message: MessageName, _ error: ErrorToken, _ text: String, _ correlation: Correlation) {
    send(Refusal(of: message, error, text).text(correlation: correlation))
  }
}

// MARK: - Errands

extension DeviceSession {
  private func enqueue(_ errand: Errand, answering message: MessageName? = nil, _ correlation: Correlation = .none) {
    errands.append(Waiting(errand: errand, message: message, correlation: correlation, trace: TraceContext.current ?? .make()))
    if errands.count == 1 { runNext() }
  }

  private func runNext() {
    guard let next = errands.first, let visitor else { return }
    TraceContext.$current.withValue(next.trace) {
      house.errands.run(next.errand, for: visitor.reference, as: visitor.identity, device: visitor.device)
    }
  }

  /// The errand under way has ended.
  func finished(_ errand: Errand, _ outcome: Errand.Outcome, device: DeviceID?) {
    // The connection may have ended meanwhile.
    guard !errands.isEmpty else { return }
    let done = errands.removeFirst()
    if let device { visitor?.device = device }
    TraceContext.$current.withValue(done.trace) { answer(done, outcome) }
    var isToLookAgain = false
    if let device, let visitor {
      isToLookAgain = house.challenges.met(device, on: visitor.reference, visitor.identity, saying: done.errand.description)
    }
    if errands.isEmpty {
      for news in held.release() { deliver(news) }
    } else {
      runNext()
    }
    if isToLookAgain { enqueue(.lookAgain) }
  }

  private func answer(_ done: Waiting, _ outcome: Errand.Outcome) {
    guard let message = done.message else { return }
    switch (outcome, done.errand) {
    case (.refused(let error, let text), _):
      house.logger.info("\(message) refused: \(text)", metadata: metadata.merging([.problem: error.rawValue]))
      refuse(message, error, text, done.correlation)
    case (.registered(let settings), _):
      send(result(settings).text(correlation: done.correlation))
    case (.request(let view), .submit):
      guard let report = RequestReport(view) else { return refuseUntellable(message, done.correlation) }
      correlations.remember(done.correlation, of: view.id)
      house.logger.info("CSR taken from its device", metadata: metadata.merging([.request: view.id, .state: view.state.rawValue]))
      send(report.submitted.text(correlation: done.correlation))
      if let outcome = report.outcome { tell(outcome, done.correlation) }
    case (.request(let view), _):
      guard let report = RequestReport(view) else { return refuseUntellable(message, done.correlation) }
      correlations.remember(done.correlation, of: view.id)
      send(report.found.text(correlation: done.correlation))
    case (.receiptTaken, .notInstalled):
      send(CertificateInstallFailedResult().text(correlation: done.correlation))
    case (.receiptTaken, _):
      send(CertificateInstalledResult().text(correlation: done.correlation))
    }
  }

  private func refuseUntellable(_ message: MessageName, _ correlation: Correlation) {
    house.logger.log(.internalFault, "the scheduler's answer has an id or a state that no device could be told", metadata: metadata)
    refuse(message, .internalError, "The connector could not do that; its log says why.", correlation)
  }
}

// MARK: - What the device is told

extension DeviceSession {
  /// The scheduler has something to tell the device.
  func deliver(_ news: DeviceNews) {
    guard errands.isEmpty else {
      if !held.hold(news) { close(.busy, "too much waits for this device") }
      return
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
      return house.logger.log(.internalFault, "a CSR is wanted for a slot that no device could be told", metadata: metadata)
    }
    send(message.text)
    note(.told, for: message.slot)
  }

  private func note(_ answer: RenewalAnswer, for slot: ShortText) {
    // One more than a device may have waiting: what it says of its own accord, again and again, is dropped.
    guard visitor?.kind == .device, errands.count <= house.limits.waitingRequests else { return }
    enqueue(.answerRenewal(slot, answer))
  }

  private func deliver(_ request: RequestView) {
    guard let report = RequestReport(request) else {
      return house.logger.log(.internalFault, "a request has an id or a state that no device could be told", metadata: metadata)
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

  private func tell(_ news: RequestReport.News, _ correlation: Correlation) {
    switch news {
    case .state(let state): send(state.text(correlation: correlation))
    case .failed(let failed): send(failed.text(correlation: correlation))
    case .ready(let ready):
      let written = eventLoop.makePromise(of: Void.self)
      written.futureResult.whenSuccess { RehearsedDeath.at("device-gateway.readySent") }
      send(ready.text(correlation: correlation), written: written)
      house.logger.log(.certificateDelivered, "certificate sent to its device", metadata: metadata.merging([.request: ready.id]))
    }
  }

  private func result(_ settings: DeviceSettings) -> RegisterDeviceResult {
    RegisterDeviceResult(
      renewDays: settings.renewDays, installDays: settings.installDays, maxDnsNames: settings.maxDnsNames,
      pin: house.pin, serverTime: house.clock.now())
  }
}

extension LoginVerdict {
  fileprivate var word: String {
    switch self {
    case .accepted: "accepted"
    case .refused: "refused"
    case .blocked: "blocked"
    }
  }
}

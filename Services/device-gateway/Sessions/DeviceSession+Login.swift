import AppWebsocket
import Logging
import Metrics
import PKI
import SchedulerAPI
import Telemetry

/// Who may come in.
extension DeviceSession {
  func verify(_ login: Login, _ challenge: Challenge) {
    guard let connection else { return }
    let verdict: LoginVerdict
    switch context.authenticator.judge(login, challenge: challenge, from: connection.origin) {
    case .admitted(let admitted, let secret):
      context.refusedLogins.forget(login.subject)
      let isIn = enter(login.subject, by: admitted, secret, on: connection)
      verdict = isIn ? .accepted(domain: context.path.domain ?? login.subject.domain) : .refused
    case .refused:
      context.refusedLogins.note(login.subject, from: connection.origin.address, at: context.clock.now())
      verdict = .refused
    case .blocked(let pause):
      verdict = .blocked(retryAfterSec: Int(pause.components.seconds) + 1)
    }
    Counter(label: "gateway_logins", dimensions: [("outcome", verdict.word)]).increment()
    switch verdict {
    case .accepted: context.logger.info("login accepted", metadata: metadata)
    case .refused: context.logger.log(.loginRefused, "login refused", metadata: metadata)
    // Whoever goes on while blocked is slowed down by nothing.
    case .blocked: sparingly { context.logger.log(.loginBlocked, "login blocked", metadata: $0) }
    }
    perform(protocolSession.handle(.verified(verdict)))
    // The device is told first that it is in, and then what waits for it.
    registerAgain()
  }

  /// - Returns: whether the login is still one.
  private func enter(_ subject: LoginDigest.Subject, by login: StoredLogin, _ secret: LoginSecret, on connection: Connection) -> Bool {
    let reference = SessionReference(self, id: connection.id, login: login.name, secret: secret, eventLoop: eventLoop)
    guard context.devices.enter(reference, if: { context.authenticator.holds(secret, of: login.name) }) else { return false }
    visitor = Visitor(
      reference: reference, kind: login.kind, isLoginOfOneDevice: login.scope == .device,
      identity: DeviceIdentity(
        scope: login.schedulerScope, sip: ShortText(subject.sip)?.value, guid: ShortText(subject.guid)?.value,
        nameSuffixes: login.nameSuffixes.isEmpty ? nil : login.nameSuffixes, address: "\(connection.origin.address)"))
    connection.becameKnown()
    return true
  }

  /// Tells the scheduler that the device is connected: after the login, and when the scheduler has forgotten it.
  func registerAgain() {
    // One that waits serves as well; one under way may have come too early.
    guard let visitor, visitor.isKnown, !errands.isRegistrationWaiting else { return }
    enqueue(.register(nil))
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

/// The client's side of one connection: the login, and what comes after it. It holds no connection and no clock; its secret is in no description.
public struct ClientSession: Sendable, CustomStringConvertible {
  /// What happens.
  public enum Event: Sendable, Hashable {
    /// The WebSocket is open.
    case connected
    /// A text message came, whole.
    case received(String)
  }

  /// What is to be done about it, in this order.
  public enum Action: Sendable, Hashable {
    /// Send this text message.
    case send(String)
    /// The login is accepted, by the instance of this domain: send what the device wants.
    case loggedIn(domain: String)
    /// The login is refused; try again on a new connection, after so many seconds if that is said.
    case refused(ErrorToken, retryAfterSec: Int?)
    /// Take note of what the connector says.
    case deliver(ConnectorMessage, Correlation)
    /// Log it.
    case remark(SessionRemark)
    /// Close the connection. Nothing comes of any later event.
    case close(CloseCode, String)
  }

  private enum State: Sendable { case connecting, askedForChallenge, loggingIn, loggedIn, closed }

  private let subject: LoginDigest.Subject
  private let info: RawJSON?
  private let password: String
  private var state = State.connecting

  /// The session of a connection that is being made.
  public init(as subject: LoginDigest.Subject, info: RawJSON? = nil, password: String) {
    self.subject = subject
    self.info = info
    self.password = password
  }

  /// Who logs in, without the secret.
  public var description: String { "\(subject), \(state)" }

  /// Takes note of what happened, and says what is to be done.
  public mutating func handle(_ event: Event) -> [Action] {
    switch (event, state) {
    case (.connected, .connecting):
      state = .askedForChallenge
      return [.send(AppChallenge().text)]
    case (.connected, _), (_, .closed):
      return []
    case (.received(let text), _):
      return receive(text)
    }
  }

  private mutating func close(_ code: CloseCode, _ reason: String) -> [Action] {
    state = .closed
    return [.close(code, reason)]
  }

  private mutating func receive(_ text: String) -> [Action] {
    let envelope: Envelope
    do {
      envelope = try Envelope(text)
    } catch {
      return [.remark(.unreadable(nil, error))] + close(.refused, "The message has no envelope that is understood.")
    }
    guard envelope.name != KeepAlive.name else { return [] }
    do {
      return switch state {
      case .loggedIn: try dispatch(envelope)
      default: try logIn(envelope)
      }
    } catch {
      return [.remark(.unreadable(envelope.name, error))]
    }
  }

  private mutating func logIn(_ envelope: Envelope) throws(MessageError) -> [Action] {
    switch (envelope.name, state) {
    case (AppChallengeResult.name, .askedForChallenge):
      if let refusal = Refusal(envelope) { return refused(refusal.error, retryAfterSec: nil) }
      let challenge = try AppChallengeResult(from: envelope).challenge
      state = .loggingIn
      return [.send(Login(subject, info: info, challenge: challenge, password: password).text)]
    case (AppLoginResult.name, .loggingIn):
      switch try AppLoginResult(from: envelope) {
      case .accepted(let domain):
        state = .loggedIn
        return [.loggedIn(domain: domain)]
      case .refused(let error, let retryAfterSec):
        return refused(error, retryAfterSec: retryAfterSec)
      }
    default:
      return []
    }
  }

  private mutating func refused(_ error: ErrorToken, retryAfterSec: Int?) -> [Action] {
    [.refused(error, retryAfterSec: retryAfterSec)] + close(.normal, "The login is refused.")
  }

  private func dispatch(_ envelope: Envelope) throws(MessageError) -> [Action] {
    if let message = try ConnectorMessage(envelope) { return [.deliver(message, envelope.correlation)] }
    let remark = Action.remark(SessionRemark(unknown: envelope))
    guard !envelope.name.isNeverAnswered else { return [remark] }
    let refusal = Refusal(of: envelope.name, .unknownMessage, "This message is unknown to the device.")
    return [remark, .send(refusal.text(correlation: envelope.correlation))]
  }
}

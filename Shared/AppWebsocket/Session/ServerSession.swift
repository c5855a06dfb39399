/// The server's side of one connection: what it does about each thing that happens. It holds no connection, no secret and no clock.
///
/// Before the login nothing is done but the login. One challenge is made for the connection, and one attempt is made with it; whoever fails must
/// connect again, where guesses can be counted and slowed down.
public struct ServerSession: Sendable {
  /// What happens.
  public enum Event: Sendable, Hashable {
    /// A text message came, whole.
    case received(String)
    /// The login that was to be verified is.
    case verified(LoginVerdict)
  }

  /// What is to be done about it, in this order.
  public enum Action: Sendable, Hashable {
    /// Send this text message.
    case send(String)
    /// Find out whose secret the login proves, and come back with a verdict.
    case verify(Login, Challenge)
    /// Do what the device asks for, and answer with this correlation.
    case deliver(DeviceMessage, Correlation)
    /// Log it.
    case remark(SessionRemark)
    /// Close the connection, after what was sent. Nothing comes of any later event.
    case close(CloseCode, String)
  }

  private enum State: Sendable {
    case connected(Challenge)
    case challenged(Challenge)
    case verifying(Correlation)
    case loggedIn
    case closed
  }

  private var state: State

  /// The session of a connection that has come in. The challenge must be fresh.
  public init(challenge: Challenge) {
    state = .connected(challenge)
  }

  /// Whether the client is logged in.
  public var isLoggedIn: Bool {
    if case .loggedIn = state { true } else { false }
  }

  /// Takes note of what happened, and says what is to be done.
  public mutating func handle(_ event: Event) -> [Action] {
    switch (event, state) {
    case (_, .closed): []
    case (.received(let text), _): receive(text)
    case (.verified(let verdict), .verifying(let correlation)): conclude(verdict, correlation)
    case (.verified, _): []
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
      let code: CloseCode = error.code == .tooLarge ? .tooLarge : .refused
      return [.remark(.unreadable(nil, error))] + close(code, "The message has no envelope that is understood.")
    }
    switch envelope.name {
    case KeepAlive.name: return [.send(KeepAlive().text(correlation: envelope.correlation))]
    // This house has no builds: a page that is loaded is current.
    case CheckBuild.name: return [.send(CheckBuildResult().text(correlation: envelope.correlation))]
    default: return isLoggedIn ? dispatch(envelope) : logIn(envelope)
    }
  }

  private mutating func logIn(_ envelope: Envelope) -> [Action] {
    switch (envelope.name, state) {
    case (AppChallenge.name, .connected(let challenge)), (AppChallenge.name, .challenged(let challenge)):
      state = .challenged(challenge)
      return [.send(AppChallengeResult(challenge: challenge).text(correlation: envelope.correlation))]
    case (Login.name, .challenged(let challenge)):
      do {
        let login = try Login(from: envelope)
        state = .verifying(envelope.correlation)
        return [.verify(login, challenge)]
      } catch {
        return [.remark(.unreadable(envelope.name, error))] + close(.refused, "The login cannot be read.")
      }
    default:
      return close(.refused, "Nothing but the login is possible before the login.")
    }
  }

  private mutating func conclude(_ verdict: LoginVerdict, _ correlation: Correlation) -> [Action] {
    switch verdict {
    case .accepted(let domain):
      state = .loggedIn
      return [.send(AppLoginResult.accepted(domain: domain).text(correlation: correlation))]
    case .refused:
      let result = AppLoginResult.refused(.loginRefused, retryAfterSec: nil)
      return [.send(result.text(correlation: correlation))] + close(.refused, "The login is refused.")
    case .blocked(let retryAfterSec):
      let result = AppLoginResult.refused(.loginBlocked, retryAfterSec: retryAfterSec)
      return [.send(result.text(correlation: correlation))] + close(.refused, "There were too many wrong logins.")
    }
  }

  private func dispatch(_ envelope: Envelope) -> [Action] {
    do {
      if let message = try DeviceMessage(envelope) { return [.deliver(message, envelope.correlation)] }
    } catch {
      return [.remark(.unreadable(envelope.name, error))] + refuse(envelope, error.code, error.text)
    }
    if [AppChallenge.name, Login.name].contains(envelope.name) {
      return refuse(envelope, .notAllowed, "This connection is logged in already.")
    }
    return [.remark(SessionRemark(unknown: envelope))] + refuse(envelope, .unknownMessage, "This message is unknown to the connector.")
  }

  private func refuse(_ envelope: Envelope, _ error: ErrorToken, _ text: String) -> [Action] {
    guard !envelope.name.isNeverAnswered else { return [] }
    return [.send(Refusal(of: envelope.name, error, text).text(correlation: envelope.correlation))]
  }
}

/// What has come of a login.
public enum LoginVerdict: Sendable, Hashable {
  /// It proves a secret; the domain is that of the instance.
  case accepted(domain: String)
  /// It proves none.
  case refused
  /// It was not even tried, for there were too many wrong ones; it will be after so many seconds.
  case blocked(retryAfterSec: Int)
}

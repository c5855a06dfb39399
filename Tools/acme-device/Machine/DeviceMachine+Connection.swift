import AppWebsocket
import PKI

// How a device logs in, and what it does when the connection ends.
extension DeviceMachine {
  /// How long another one with the same identity is left alone: both would take the connection from each other for ever.
  static let pauseForTwin = Duration.seconds(600)

  mutating func loggedIn(_ now: Instant) -> [DeviceAction] {
    link = .loggedIn
    hasLoggedIn = true
    pause.reset()
    return [.say("logged in"), register(now)] + askAgain()
  }

  /// Tells the connector who it is, and what it has.
  func register(_ now: Instant) -> DeviceAction {
    var registration = RegisterDevice(hwId: wishes.hardwareID, type: .linux)
    registration.product = "acme-device"
    registration.dnsNames = wishes.names.map(\.value)
    registration.certificates = installed.map { [$0.chain.leaf.pem] }
    registration.roles = wishes.isReverseProxy ? [.reverseProxy] : nil
    registration.challenge = wishes.challenges.mode
    registration.clock = now
    return .send(registration.text)
  }

  mutating func loginRefused(_ error: ErrorToken, _ retryAfter: Duration?, using generator: inout some RandomNumberGenerator) -> [DeviceAction] {
    link = .down
    let sentence =
      error == .loginBlocked
      ? "The connector takes no login from here for a while, for there were too many wrong ones."
      : "The connector has refused the login: the password or the domain is wrong, or the login has ended."
    trouble = sentence
    // A secret that was good an hour ago may be in the middle of its change; one that never was will not become so.
    guard error == .loginBlocked || hasLoggedIn else { return [.finish(.failed(sentence))] }
    let pause = pause.take(using: &generator)
    return [.say(sentence), .start(.reconnect, after: max(pause, retryAfter ?? .zero))]
  }

  mutating func disconnected(_ end: ConnectionEnd, using generator: inout some RandomNumberGenerator) -> [DeviceAction] {
    // After a refused login the next attempt is arranged already.
    guard link != .down else { return [] }
    let wasLoggedIn = link == .loggedIn || link == .registered
    link = .down
    switch end {
    case .closed(code: CloseCode.restarting.rawValue) where wasLoggedIn:
      return [.say("the connector is being restarted"), .start(.reconnect, after: .zero)]
    case .replaced:
      let sentence = "Another connection has logged in as this device; give each folder a --hardware-id of its own."
      trouble = sentence
      guard wishes.stays else { return [.finish(.failed(sentence))] }
      return [.say(sentence), .start(.reconnect, after: Self.pauseForTwin)]
    case .closed(let code):
      trouble = "The connector has closed the connection\(code.map { " with code \($0)" } ?? "")."
    case .failed(let error):
      trouble = error.description
      if !error.isTransient, !hasLoggedIn { return [.finish(.failed(error.description))] }
    }
    let pause = pause.take(using: &generator)
    return [.say("\(trouble ?? "") Next attempt in \(pause.formattedSeconds) s."), .start(.reconnect, after: pause)]
  }
}

extension Duration {
  /// Seconds with one digit after the point.
  var formattedSeconds: String {
    let tenths = (self / .milliseconds(100)).rounded(.up)
    return "\(tenths / 10)"
  }
}

import PKI
import SchedulerAPI

/// What is said of logins that the gateway has refused.
enum LoginRefusal {
  /// How long an alarm stands after the last one: a device that goes on trying is heard of every minute.
  static let memory = Duration.seconds(3_600)

  /// Somebody calls himself as a device does that is known, and has a wrong password.
  static func alarm(_ login: RefusedLogin) -> Alarm {
    let text = """
      Logins as this device were refused \(login.count) times since \(login.since), the last from \(login.address.line(of: longest)): give it the \
      password that holds, or see who else calls himself so.
      """
    return Alarm(code: .loginRefused, severity: .indeterminate, text: text)
  }

  /// Nobody who is known: a new device with a wrong password, or somebody who guesses.
  static func alarm(ofStrangers logins: [RefusedLogin]) -> Alarm? {
    guard let first = logins.max(by: { $0.count < $1.count }) else { return nil }
    let name = [first.sip, first.guid, first.domain].compactMap(\.self).first.map { "“\($0.line(of: longest))”" } ?? "nobody"
    let others = logins.count > 1 ? ", and \(logins.count - 1) others" : ""
    let text = """
      Logins that are no known device's are refused: \(first.count) as \(name) since \(first.since), the last from \
      \(first.address.line(of: longest))\(others).
      """
    return Alarm(code: .loginRefused, severity: .minor, text: text)
  }

  private static let longest = 128
}

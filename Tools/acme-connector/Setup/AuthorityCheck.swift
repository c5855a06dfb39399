import PKI
import SchedulerAPI

/// What a CA has answered, and how its clock and this machine's agree.
struct AuthorityCheck: Sendable {
  /// More than what a slow answer and a lazy clock make up.
  static let tolerance = Duration.seconds(180)

  /// The URL by which it was asked: the directory's, or that of its parent.
  let asked: String
  let description: AdminMethods.DescribeAuthority.Reply
  /// How much this machine's clock is ahead of the CA's; negative: behind. Nil where the CA shows none.
  let skew: Duration?

  init(of asked: String, _ description: AdminMethods.DescribeAuthority.Reply, at now: Instant) {
    self.asked = asked
    self.description = description
    skew = description.date.map { now - $0 }
  }

  /// Asks the CA.
  static func ask(_ authority: AuthorityName, trustRoots: String, at connector: Connector, on terminal: Terminal) async throws -> AuthorityCheck {
    do {
      let description = try await connector.admin.ask(
        AdminMethods.DescribeAuthority.self, .init(directory: authority.directory, trustRoots: trustRoots.isEmpty ? nil : trustRoots))
      return AuthorityCheck(of: authority.directory, description, at: terminal.now)
    } catch let refused as AdminMethods.Refused {
      throw CommandError(
        "\(CommandError(explaining: refused)) A clock that is wrong can be the cause too: this machine's says \(terminal.now.text).")
    }
  }

  /// Whether it is the CA that is set.
  func isSet(in settings: StoredSettings) -> Bool { settings.isAuthority(asked) || settings.isAuthority(description.directory) }

  /// Whether a person has agreed to its terms, or it has none.
  func hasConsent(in settings: StoredSettings) -> Bool {
    description.termsOfService == nil || isSet(in: settings) && settings["authority.termsAgreed"] == "true"
  }

  /// What is to be said of the clock; nil if it agrees.
  var clockWarning: String? {
    guard let skew, let date = description.date, abs(skew.components.seconds) > Self.tolerance.components.seconds else { return nil }
    let minutes = (abs(skew.components.seconds) + 59) / 60
    return
      "This machine's clock is \(minutes) minutes \(skew > .zero ? "ahead of" : "behind") the CA's (\(date.text)): certificates would seem to be "
      + "not valid yet, or over. Set it right: timedatectl set-ntp true"
  }

  /// Where the credential goes that a CA with external accounts wants; nil for others.
  var externalAccountAdvice: String? {
    guard description.externalAccountRequired else { return nil }
    return #"This CA binds accounts to external ones. Put the key id and key that it gave you into "#
      + #"/etc/credstore/acme-connector.external-account, as {"kid": "…", "hmacKey": "…"}, mode 0600; "#
      + "then: systemctl try-restart acme-connector-acme-client.service"
  }
}

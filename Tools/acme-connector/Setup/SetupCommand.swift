import ArgumentParser
import DeviceGatewayAPI
import FoundationEssentials
import PKI
import SchedulerAPI

/// `acme-connector setup`
struct SetupCommand: ConnectorCommand {
  static let configuration = CommandConfiguration(
    commandName: "setup", abstract: "Sets up the CA, the first logins and the gateway's names, and shows how devices get in.",
    discussion: """
      Asks for what the options leave open, with what is set already as the answer to just pressing return; stores nothing before the last question. \
      Where the input is no terminal nothing is asked: what is missing is an error. Done again it changes only what it is told to, and no secret.
      """)

  @Option(help: "The CA: letsencrypt, letsencrypt-staging, or the URL of its ACME directory.") var ca: AuthorityName?
  @Option(help: "A PEM file of the roots to trust for the CA's own TLS, for a private one.", completion: .file()) var caRoots: String?
  @Option(help: "An e-mail address that the CA may write to; repeat for more.") var contact: [String] = []
  @Flag(help: "The CA gets no e-mail address.") var noContact = false
  @Flag(help: "You have read the CA's terms of service, and agree to them.") var agreeToTerms = false
  @Option(help: "A public host name of this connector, for which its gateway obtains a certificate; repeat for more.") var gatewayName: [DNSName] = []
  @Flag(help: "The gateway has no public name, and keeps the certificate that it has signed itself.") var noGatewayName = false
  @OptionGroup var options: ConnectorOptions

  func validate() throws {
    guard contact.isEmpty || !noContact else { throw ValidationError("Give --contact or --no-contact.") }
    guard gatewayName.isEmpty || !noGatewayName else { throw ValidationError("Give --gateway-name or --no-gateway-name.") }
    guard contact.allSatisfy({ $0.contains("@") && !$0.contains(",") }) else { throw ValidationError("--contact takes one e-mail address.") }
  }

  func perform(with connector: Connector, on terminal: Terminal) async throws {
    let settings = StoredSettings(try await connector.admin.ask(AdminMethods.ListSettings.self).settings)
    let known = try await connector.logins.askAll(Logins.List.self, .init()).logins
    let (wishes, check, isAsked) = try await wanted(settings, connector, terminal)
    let plan = try SetupPlan(wishes, for: check, settings: settings)
    if isAsked { try SetupQuestions(terminal: terminal, connector: connector, settings: settings).confirm() }
    for change in plan.changes {
      _ = try await connector.admin.ask(AdminMethods.ChangeSetting.self, .init(key: change.key, value: change.value))
    }
    let gateway = try await connector.logins.ask(Logins.Describe.self)
    // Last of all: a secret that is made is lost if it cannot be shown.
    let logins = try await firstLogins(known, at: connector)
    let report = SetupReport(
      check, changed: plan.changedKeys, logins: logins, gateway: gateway,
      names: wishes.gatewayNames?.map(\.value) ?? settings.list("gateway.names"))
    if options.json { try terminal.json(report) } else { for line in report.lines { try terminal.line(line) } }
  }

  private var given: SetupWishes {
    SetupWishes(
      authority: ca, trustRoots: caRoots.map(\.absolutePath), contact: noContact ? [] : contact.isEmpty ? nil : contact,
      agreesToTerms: agreeToTerms, gatewayNames: noGatewayName ? [] : gatewayName.isEmpty ? nil : gatewayName)
  }

  /// All that is wanted: from the options and what is set, and where there is a person, from its answers.
  private func wanted(
    _ settings: StoredSettings, _ connector: Connector, _ terminal: Terminal
  ) async throws -> (SetupWishes, AuthorityCheck, isAsked: Bool) {
    let given = given
    if terminal.isInteractive, !given.areComplete {
      let (wishes, check) = try await SetupQuestions(terminal: terminal, connector: connector, settings: settings).complete(given)
      return (wishes, check, true)
    }
    guard let authority = given.authority ?? AuthorityName(argument: settings["authority.directory"]) else {
      throw Self.missing(["--ca"] + (given.agreesToTerms ? [] : ["--agree-to-terms, when you have read the CA's terms of service"]))
    }
    var wishes = given
    // The roots that are set are for the CA that is set.
    wishes.trustRoots = given.trustRoots ?? (settings.isAuthority(authority.directory) ? settings["authority.trustRoots"] : "")
    let check = try await AuthorityCheck.ask(authority, trustRoots: wishes.trustRoots ?? "", at: connector, on: terminal)
    if let terms = check.description.termsOfService, !given.agreesToTerms, !check.hasConsent(in: settings) {
      throw Self.missing(["--agree-to-terms, when you have read the CA's terms of service (\(terms))"])
    }
    for advice in [check.clockWarning, check.externalAccountAdvice] { if let advice { try terminal.note(advice) } }
    return (wishes, check, false)
  }

  private static func missing(_ options: [String]) -> CommandError {
    CommandError("Nobody is here to be asked, and options are missing: \(options.joined(separator: "; ")). Nothing was changed.")
  }

  /// A login for devices and one for administrators, if there are none.
  private func firstLogins(_ known: [Logins.Login], at connector: Connector) async throws -> [SetupReport.Login] {
    var logins: [SetupReport.Login] = []
    for kind in Logins.Kind.allCases {
      if let login = known.first(where: { $0.kind == kind && $0.scope == .instance }) ?? known.first(where: { $0.kind == kind }) {
        logins.append(.init(name: login.name, kind: kind, secret: nil))
      } else {
        let secret = try NewSecret()
        let made = try await connector.logins.ask(
          Logins.Add.self, .init(name: kind.rawValue, scope: .instance, kind: kind, nameSuffixes: [], secret: secret.text))
        logins.append(.init(name: made.login.name, kind: kind, secret: secret.text))
      }
    }
    return logins
  }
}

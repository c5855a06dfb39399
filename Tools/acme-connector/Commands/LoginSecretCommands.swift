public import ArgumentParser
public import DeviceGatewayAPI
import PKI

extension Logins.Scope: ExpressibleByArgument {}
extension Logins.Kind: ExpressibleByArgument {}

/// `acme-connector logins add`
struct AddLogin: ConnectorCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Makes a login and prints its secret, the only time that it is shown.")

  @Argument(help: "Its name.") var name: String
  @Option(help: "For whom: everyone, the devices of one domain, or one device.") var scope: Logins.Scope = .instance
  @Option(help: "For what: to obtain certificates, or to administer.") var kind: Logins.Kind = .device
  @Option(help: "The domain, with --scope domain.") var domain: String?
  @Option(help: "Its devices may only ask for this name and those below it; repeat for more.") var suffix: [DNSName] = []
  @Option(help: "Take the secret from the first line of this file; one is made otherwise.", completion: .file()) var secretFile: String?
  @OptionGroup var options: ConnectorOptions

  func validate() throws {
    guard (scope == .domain) == (domain != nil) else { throw ValidationError("--domain belongs to --scope domain, and is needed there.") }
  }

  func perform(with connector: Connector, on terminal: Terminal) async throws {
    let secret = try NewSecret(file: secretFile)
    let reply = try await connector.logins.ask(
      Logins.Add.self,
      .init(name: name, scope: scope, kind: kind, domain: domain, nameSuffixes: suffix.map(\.value), secret: secret.text))
    try terminal.show(reply.login, secret, asJSON: options.json)
  }
}

/// `acme-connector logins rotate`
struct RotateLogin: ConnectorCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate", abstract: "Gives a login a new secret and prints it, the only time that it is shown.")

  @Argument(help: "Its name.") var name: String
  @Option(help: "How long the old secret holds beside the new one, as 12h or 7d; without it, it ends now.") var overlap: TimeSpan?
  @Option(help: "Take the secret from the first line of this file; one is made otherwise.", completion: .file()) var secretFile: String?
  @OptionGroup var options: ConnectorOptions

  func perform(with connector: Connector, on terminal: Terminal) async throws {
    let now = terminal.now
    let overlapUntil = overlap.map { now + $0.duration }
    let secret = try NewSecret(file: secretFile)
    let reply = try await connector.logins.ask(
      Logins.Rotate.self, .init(name: name, secret: secret.text, overlapUntil: overlapUntil))
    try terminal.show(reply.login, secret, asJSON: options.json)
    if let overlapUntil, !options.json { try terminal.note("The old secret holds until \(overlapUntil.text(at: now)).") }
  }
}

extension Terminal {
  /// Prints the secret alone, so that a script can take it; one that the administrator brought is not repeated.
  fileprivate func show(_ login: Logins.Login, _ secret: NewSecret, asJSON: Bool) throws {
    if asJSON { return try json(MadeLogin(login: login, secret: secret.isMade ? secret.text : nil)) }
    try note("Login \(login.name) (\(login.kind.rawValue), scope \(login.scope.rawValue)) has a new secret\(secret.isMade ? ":" : ".")")
    if secret.isMade { try line(secret.text) }
  }
}

/// For programs: the login, and the secret that was made for it.
private struct MadeLogin: Encodable {
  let login: Logins.Login
  let secret: String?
}

import AppWebsocket
import ArgumentParser
import FoundationEssentials
import PKI
import Systemd

/// `acme-device enroll`
struct EnrollCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enroll", abstract: "Obtains a certificate, puts it in place, and with --daemon keeps it renewed.",
    discussion: """
      Leaves key.pem, certificate.pem, chain.pem and fullchain.pem in the folder, replaced all at once, so that a key and another key's \
      certificate never stand side by side. An interrupted run is taken up by the next one. What happens is told on standard error.

      Exit codes: 0 the certificate is in use (or the one in use is not due), 1 it is not, for the reason in the last line, 64 wrong usage.
      """)

  @Option(help: "The connector: wss://host:8443/connector, or ws:// on this machine.") var connector: ConnectorURL
  @Option(help: "The SHA-256 of the connector's public key, 64 hexadecimal digits; replaces the check of its certificate.")
  var pin: SubjectPublicKeyPin?
  @Option(help: "A PEM file of the authorities to trust instead of the system's, or the connector's own connector.pem.", completion: .file())
  var caFile: String?
  @Option(
    help: "A file whose first line is the password of the login. If there is none, it is asked for at the terminal, and kept there.",
    completion: .file())
  var passwordFile: String
  @Option(
    parsing: .upToNextOption, help: "The names of the certificate; the first one is the common name.",
    transform: { try DNSName($0) ?? DNSName(certifiable: $0) })
  var name: [DNSName]
  @Option(help: "The folder for the files.", completion: .directory) var directory: String
  @Option(
    help: """
      The kind of a new key. Without it a key that is there is kept, and the first one is p256; for innovaphone's reverse proxies, and other \
      peers that know no ECDSA, take RSA.
      """) var keyType: KeyKind?
  @ArgumentParser.Flag(help: "Make a new key, even if there is one.") var newKey = false
  @Option(help: "Which of the device's certificates this is; its name with the connector.") var slot: ShortText = .defaultSlot
  @Option(help: "What the connector knows this device by. Without it a hash of /etc/machine-id; give one to each folder that runs with --daemon.")
  var hardwareID: ShortText?
  @Option(help: "The domain (tenant) of the login.") var domain = ""
  @Option(help: "Answer the CA itself, at this address and port, where port 80 of the names leads: with what the connector tells.")
  var http: ListenAddress?
  @Option(help: "Answer the CA by files that a web server serves: in .well-known/acme-challenge of this folder.", completion: .directory)
  var webroot: String?
  @Option(help: "What this host does for others. A reverse-proxy with --http looks each challenge up with the connector.") var role: Role?
  @Option(help: "A shell command to run when the certificate is in place, at most 60 s; it finds RENEWED_LINEAGE and RENEWED_DOMAINS set.")
  var installHook: String?
  @Option(
    help: """
      A shell command to run, at most 60 s, when the certificate should have been replaced three days ago, each day until it is, and when it is; it \
      finds ACME_DEVICE_ALARM (raised or over), ACME_DEVICE_ALARM_TEXT and ACME_DEVICE_NOT_AFTER set.
      """) var alarmHook: String?
  @ArgumentParser.Flag(help: "Stay connected, and renew when the connector says so.") var daemon = false
  @ArgumentParser.Flag(help: "Show every message, without secrets.") var trace = false
  @Option(help: "How many seconds the whole may take, 600 without it; not with --daemon.") var timeout: Int?

  func validate() throws {
    guard !name.isEmpty, name.count <= SigningRequest.maximumNames else {
      throw ValidationError("Give one to \(SigningRequest.maximumNames) names with --name.")
    }
    guard pin == nil || caFile == nil else { throw ValidationError("Give --pin or --ca-file; a pin needs no authority.") }
    guard connector.isSecure || pin == nil && caFile == nil else {
      throw ValidationError("ws:// has no TLS that --pin or --ca-file could check; give a wss:// URL.")
    }
    guard http == nil || webroot == nil else { throw ValidationError("Give --http or --webroot; one of them answers.") }
    guard timeout == nil || !daemon, (1...86_400).contains(timeout ?? 1) else {
      throw ValidationError("--timeout takes 1 to 86400 seconds, and does not go with --daemon.")
    }
  }

  func run() async throws {
    let secret = SecretFile(path: passwordFile)
    let isAsked: Bool
    do {
      isAsked = try secret.askIfMissing()
      _ = try secret.read()
    } catch let error as FileError {
      throw EnrollError("--password-file: \(error)")
    }
    let isJournal = Journal.isStandardError(variables: ProcessInfo.processInfo.environment)
    let progress = Progress(traces: trace, journal: isJournal ? Progress.journal : nil)
    let folder = CertificateFolder(path: directory.count > 1 && directory.hasSuffix("/") ? String(directory.dropLast()) : directory)
    let lock = try folder.prepare()
    defer { withExtendedLifetime(lock) {} }
    // A key that cannot be read is told before anybody is asked for anything.
    _ = try folder.key()
    guard let hardwareID = hardwareID ?? HardwareID.ofMachine() else {
      throw EnrollError("This machine has no /etc/machine-id; give --hardware-id.")
    }
    var wishes = DeviceMachine.Wishes(names: name, slot: slot, hardwareID: hardwareID, keyKind: keyType)
    wishes.newKey = newKey
    wishes.stays = daemon
    wishes.isReverseProxy = role == .reverseProxy
    if webroot != nil { wishes.challenges = .push }
    if http != nil { wishes.challenges = role == .reverseProxy ? .lookup : .push }
    wishes.timeLimit = daemon ? nil : .seconds(timeout ?? 600)
    let enrolment = try Enrolment(
      wishes,
      as: LoginDigest.Subject(app: "acme-device", domain: domain, sip: hardwareID.value),
      secret: secret,
      at: GatewayConnector(connector, trust: trust()),
      in: folder,
      hook: installHook.map { InstallHook(command: $0) { progress.say("hook: \($0)") } },
      alarmHook: alarmHook.map { AlarmHook(command: $0) { progress.say("alarm hook: \($0)") } },
      webroot: webroot.map { Webroot(folder: $0, notes: folder.notes) },
      progress: progress)
    var listener: ChallengeListener?
    if let http { listener = try await ChallengeListener.open(http) { await enrolment.answer(host: $0, token: $1) } }
    let outcome = await enrolment.run()
    await listener?.close()
    if case .failed(let sentence) = outcome {
      // It may have been mistyped: the next run asks again.
      if isAsked { try secret.forget() }
      throw EnrollError(sentence)
    }
  }

  private func trust() throws -> Trust {
    if let pin { return .pin(pin) }
    return try caFile.map(Trust.init(certificatesIn:)) ?? .system
  }
}

/// Why there is no certificate, as the program's last words.
struct EnrollError: Error, CustomStringConvertible {
  /// The sentence.
  let description: String

  init(_ sentence: String) {
    self.description = sentence
  }
}

import PKI

/// The command that takes a new certificate into use, for example by reloading a server.
struct InstallHook: Sendable {
  private let hook: HookCommand

  /// - Parameters:
  ///   - command: The command, for the shell.
  ///   - log: Is given each line of its output.
  init(command: String, log: @escaping @Sendable (String) -> Void) {
    hook = HookCommand(name: "install hook", command: command, log: log)
  }

  /// Runs the command. Its environment says what is new, in certbot's words too, so that hooks made for that serve here.
  /// - Throws: a ``HookError`` when it does not end well within the time limit.
  func run(folder: String, certificate: InstalledCertificate, timeLimit: Duration = HookCommand.timeLimit) async throws {
    let leaf = certificate.chain.leaf
    try await hook.run(
      [
        "ACME_DEVICE_DIRECTORY": folder,
        "ACME_DEVICE_FINGERPRINT": leaf.fingerprint.hex,
        "ACME_DEVICE_NOT_AFTER": "\(leaf.notAfter)",
        "RENEWED_LINEAGE": folder,
        "RENEWED_DOMAINS": leaf.names.map(\.value).joined(separator: " "),
      ], timeLimit: timeLimit)
  }
}

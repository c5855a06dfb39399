import FoundationEssentials
import PKI
import Subprocess

/// The command that takes a new certificate into use, for example by reloading a server.
struct InstallHook: Sendable {
  /// How long it may take.
  static let timeLimit = Duration.seconds(60)
  /// How much of its output is logged, in bytes; the rest is read and dropped, so that a hook that says much is not ended by it.
  static let mostOutput = 65_536

  /// The command, for the shell.
  let command: String
  /// Is given each line of its output.
  let log: @Sendable (String) -> Void

  /// Runs the command. Its environment says what is new, in certbot's words too, so that hooks made for that serve here.
  /// - Throws: when it does not end well within the time limit.
  func run(folder: String, certificate: InstalledCertificate, timeLimit: Duration = timeLimit) async throws {
    let leaf = certificate.chain.leaf
    let environment = Environment.inherit.updating([
      "ACME_DEVICE_DIRECTORY": folder,
      "ACME_DEVICE_FINGERPRINT": leaf.fingerprint.hex,
      "ACME_DEVICE_NOT_AFTER": "\(leaf.notAfter)",
      "RENEWED_LINEAGE": folder,
      "RENEWED_DOMAINS": leaf.names.map(\.value).joined(separator: " "),
    ])
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      defer { tasks.cancelAll() }
      tasks.addTask { try await run(environment) }
      tasks.addTask {
        try await Task.sleep(for: timeLimit)
        throw HookError("The install hook has not ended within \(timeLimit.formattedSeconds) s.")
      }
      try await tasks.next()
    }
  }

  private func run(_ environment: Environment) async throws {
    var options = PlatformOptions()
    // A group of its own, so that what the shell has started ends with it.
    options.processGroupID = 0
    options.teardownSequence = [.gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: .seconds(2))]
    let result = try await Subprocess.run(
      .name("sh"), arguments: ["-c", command], environment: environment, platformOptions: options, input: .none, output: .sequence,
      error: .combinedWithOutput
    ) { execution in
      var kept: [UInt8] = []
      var dropped = 0
      for try await buffer in execution.standardOutput {
        let taken = buffer.withUnsafeBytes { Array($0.prefix(Self.mostOutput - kept.count)) }
        kept += taken
        dropped += buffer.count - taken.count
      }
      return (kept, dropped)
    }
    let (kept, dropped) = result.closureResult
    for line in String(decoding: kept, as: UTF8.self).split(whereSeparator: \.isNewline) { log(String(line)) }
    if dropped > 0 { log("and \(dropped) bytes more") }
    guard result.terminationStatus.isSuccess else { throw HookError("The install hook has failed (\(result.terminationStatus)).") }
  }
}

/// A hook that did not end well.
struct HookError: Error, CustomStringConvertible {
  /// What became of it, as a sentence.
  let description: String

  init(_ sentence: String) {
    self.description = sentence
  }
}

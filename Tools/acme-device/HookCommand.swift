import Subprocess

/// A shell command of the host's own, which is told what has happened by its environment.
struct HookCommand: Sendable {
  /// How long it may take.
  static let timeLimit = Duration.seconds(60)
  /// How much of its output is logged, in bytes; the rest is read and dropped, so that a hook that says much is not ended by it.
  static let mostOutput = 65_536

  /// What it is called in a sentence.
  let name: String
  /// The command, for the shell.
  let command: String
  /// Is given each line of its output.
  let log: @Sendable (String) -> Void

  /// Runs the command.
  /// - Throws: a ``HookError`` when it does not end well within the time limit.
  func run(_ variables: [String: String], timeLimit: Duration = timeLimit) async throws {
    let updates = variables.map { (Environment.Key(stringLiteral: $0.key), Optional($0.value)) }
    let environment = Environment.inherit.updating(Dictionary(updates, uniquingKeysWith: { first, _ in first }))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      defer { tasks.cancelAll() }
      tasks.addTask { try await run(environment) }
      tasks.addTask {
        try await Task.sleep(for: timeLimit)
        throw HookError("The \(name) has not ended within \(timeLimit.formattedSeconds) s.")
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
    guard result.terminationStatus.isSuccess else { throw HookError("The \(name) has failed (\(result.terminationStatus)).") }
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

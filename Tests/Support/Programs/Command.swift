package import FoundationEssentials
import Subprocess

/// A program to run: a real one of ours, or a foreign one.
package struct Command: Sendable {
  package var executable: String
  package var arguments: [String]
  package var environment: [String: String] = [:]

  package init(_ executable: String, _ arguments: [String], environment: [String: String] = [:]) {
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
  }

  /// How a program ended, and what it said.
  package struct Outcome: Sendable {
    package var succeeded: Bool
    /// What it ended with; nil if a signal killed it.
    package var code: Int32?
    package var output: String
    package var complaints: String
  }

  /// Runs it to its end; after `limit` it is killed, and that is a failure.
  package func run(limit: Duration = .seconds(60)) async throws -> Outcome {
    let result = try await Subprocess.run(
      .name("timeout"), arguments: Arguments(["--kill-after=5", "\(limit.components.seconds)", executable] + arguments), environment: variables,
      output: .string(limit: 1 << 22), error: .string(limit: 1 << 22))
    let code: Int32? = if case .exited(let code) = result.terminationStatus { code } else { nil }
    return Outcome(succeeded: result.terminationStatus.isSuccess, code: code, output: result.standardOutput, complaints: result.standardError)
  }

  /// Runs it beside `body`. It says what there is to know of it line by line, the last line being `ready …`; then `body` is called
  /// with these facts, and when that is done the program is asked to end.
  package func whileRunning<Result: Sendable>(
    log: URL, _ body: @Sendable ([String: String]) async throws -> Result
  ) async throws -> Result {
    var options = PlatformOptions()
    options.teardownSequence = Self.ending
    let intoLog = ["-c", #"exec "$@" 2>"$0""#, log.path, executable]
    return try await Subprocess.run(
      .name("sh"), arguments: Arguments(intoLog + arguments), environment: variables, platformOptions: options, input: .none,
      output: .sequence, error: .discarded
    ) { execution in
      var facts: [String: String] = [:]
      for try await line in execution.standardOutput.strings() {
        let words = line.split(separator: " ", maxSplits: 1)
        if words.count == 2 { facts[String(words[0])] = words[1].trimmingCharacters }
        if words.first == "ready" { break }
      }
      guard facts["ready"] != nil else { throw Failure("\(executable) did not get ready; see \(log.path)") }
      let result = try await body(facts)
      await execution.teardown(using: Self.ending)
      return result
    }.closureResult
  }

  private var variables: Environment {
    .inherit.updating(Dictionary(uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) }))
  }

  private static let ending: [TeardownStep] = [.gracefulShutDown(allowedDurationToNextStep: .seconds(15))]
}

/// What went wrong outside of what is tested.
package struct Failure: Error, CustomStringConvertible {
  package var description: String

  package init(_ description: String) { self.description = description }
}

extension Substring {
  fileprivate var trimmingCharacters: String { split(whereSeparator: \.isNewline).first.map(String.init) ?? "" }
}

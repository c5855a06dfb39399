import FoundationEssentials
import Subprocess

/// Runs the Python programs of Tests/foreign with the packages that Tests/foreign/setup has installed.
public enum ForeignPython {
  /// Why a program did not do its part.
  public struct Failure: Error, CustomStringConvertible {
    /// One sentence.
    public let description: String
  }

  private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardized
  private static let python = root.appending(path: ".build/foreign/bin/python3").path()

  /// A program with its arguments. It is an error, not a reason to skip, when there is no Python for it.
  private static func configuration(_ program: String, _ arguments: [String]) throws -> Configuration {
    guard FileManager.default.isExecutableFile(atPath: python) else {
      throw Failure(description: "\(python) is not there; run Tests/foreign/setup (make test does)")
    }
    let script = root.appending(path: "Tests/foreign/\(program)").path()
    return Configuration(executable: .name("env"), arguments: Arguments([python, script] + arguments))
  }

  /// Runs a program of Tests/foreign to its end and returns what it has printed.
  public static func run(_ program: String, _ arguments: String...) async throws -> String {
    let result = try await Subprocess.run(
      configuration(program, arguments), output: .string(limit: 1 << 20), error: .string(limit: 1 << 16))
    guard result.terminationStatus.isSuccess else {
      throw Failure(description: "\(program) failed: \(result.standardError) after: \(result.standardOutput)")
    }
    return result.standardOutput
  }

  /// Runs a program that serves until its input ends, as long as `body` takes. The body begins once the program has printed something.
  public static func run(_ program: String, _ arguments: String..., body: @Sendable () async throws -> Void) async throws {
    _ = try await Subprocess.run(configuration(program, arguments), input: .inputWriter, output: .sequence, error: .discarded) { execution in
      for try await _ in execution.standardOutput { break }
      try await body()
      try await execution.standardInputWriter.finish()
    }
  }
}

import FoundationEssentials
import Programs

extension Project {
  static let runLocal = root.appending(path: "deploy/run-local").path

  /// A plug-in that the project brings.
  static func plugIn(_ name: String) -> String { root.appending(path: "deploy/plugins/\(name)").path }
}

extension Command {
  /// Runs a program that does not tell when it is ready beside `body`, which is called when the check, a shell command, holds.
  func running<Result: Sendable>(when check: String, log: URL, _ body: @Sendable () async throws -> Result) async throws -> Result {
    let beside = Command(Project.foreign("beside"), [check, executable] + arguments, environment: environment)
    return try await beside.whileRunning(log: log) { _ in try await body() }
  }
}

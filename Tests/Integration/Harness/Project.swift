import FoundationEssentials
import Programs

extension Project {
  static let runLocal = root.appending(path: "deploy/run-local").path

  /// A foreign client of this test target.
  static func foreign(_ name: String) -> String { root.appending(path: "Tests/Integration/foreign/\(name)").path }

  /// A plug-in that the project brings.
  static func plugIn(_ name: String) -> String { root.appending(path: "deploy/plugins/\(name)").path }

  /// Python with the packages `varlink` and `websockets`, as `Tests/foreign/setup` makes it.
  static let foreignPython = root.appending(path: ".build/foreign/bin/python3").path
}

extension Command {
  /// Runs a program that does not tell when it is ready beside `body`, which is called when the check, a shell command, holds.
  func running<Result: Sendable>(when check: String, log: URL, _ body: @Sendable () async throws -> Result) async throws -> Result {
    let beside = Command(Project.foreign("beside"), [check, executable] + arguments, environment: environment)
    return try await beside.whileRunning(log: log) { _ in try await body() }
  }
}

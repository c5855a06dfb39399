import FoundationEssentials
import SchedulerAPI
import Subprocess
import Testing
import Varlink

@Suite("The executable itself")
struct ExecutableTests {
  /// The executable lies beside the one that runs the tests.
  private func run(_ arguments: String...) async throws -> (status: TerminationStatus, output: String, error: String) {
    let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let executable = URL(filePath: tests).deletingLastPathComponent().appending(path: "acme-connector").path
    let result = try await Subprocess.run(
      .name("timeout"), arguments: Arguments(["60", executable] + arguments), output: .string(limit: 100_000), error: .string(limit: 100_000))
    return (result.terminationStatus, result.standardOutput, result.standardError)
  }

  @Test("it asks the connector that --runtime names and prints what it learns")
  func settings() async throws {
    let handler = VarlinkHandler.reply(AdminMethods.ListSettings.self) { _, _ in
      .init(settings: [SettingView(key: "devices.renewDays", value: "30", source: .standard, description: "Days.")])
    }
    let result = try await TestConnector.serving(["admin.sock": VarlinkInterfaceHandlers(.admin, [handler])]) {
      try await run("settings", "--runtime", $0.directory)
    }
    #expect(result.status == .exited(0))
    #expect(result.output == "KEY                VALUE  FROM     MEANING\ndevices.renewDays  30     default  Days.\n")
  }

  @Test("an error is one line on standard error, and the exit code is 1")
  func failure() async throws {
    let result = try await run("devices", "--runtime", "/nonexistent")
    #expect(result.status == .exited(1))
    #expect(result.output.isEmpty)
    #expect(result.error == "Error: There is no connector at /nonexistent/admin.sock; start it, or name its folder with --runtime.\n")
  }

  @Test("wrong usage has the exit code 64")
  func usage() async throws {
    #expect(try await run("devices", "--nonsense").status == .exited(64))
  }
}

import ArgumentParser
import FoundationEssentials
import Subprocess
import Testing

@testable import ACMEDeviceCommand

@Suite("The command line")
struct EnrollCommandTests {
  private static let needed = ["enroll", "--connector", "ws://127.0.0.1:1/connector", "--password-file", "/nonexistent", "--directory", "/tmp/none"]

  @Test("names may follow each other, or each their option")
  func severalNames() throws {
    for arguments in [["--name", "a.example", "b.example"], ["--name", "a.example", "--name", "B.example"]] {
      let command = try #require(try ACMEDevice.parseAsRoot(Self.needed + arguments) as? EnrollCommand)
      #expect(try command.name == names("a.example", "b.example"))
    }
  }

  @Test(
    "what cannot be meant is wrong usage",
    arguments: [
      [], ["--name", "*.example"], ["--name", "a.example", "--pin", "abc"], ["--name", "a.example", "--key-type", "rsa1024"],
      ["--name", "a.example", "--daemon", "--timeout", "5"], ["--name", "a.example", "--timeout", "0"],
      ["--name", "a.example", "--pin", String(repeating: "a", count: 64), "--ca-file", "ca.pem"],
    ])
  func usage(arguments: [String]) {
    #expect(throws: (any Error).self) { try ACMEDevice.parseAsRoot(Self.needed + arguments) }
  }

  @Test(
    "a name that cannot be had is told with the reason",
    arguments: [("*.a.example", "wildcard"), ("192.0.2.1", "IP address"), ("a_b", "hyphens")])
  func name(text: String, reason: String) {
    #expect { try ACMEDevice.parseAsRoot(Self.needed + ["--name", text]) } throws: { error in
      let message = ACMEDevice.message(for: error)
      return message.contains(text) && message.contains(reason)
    }
  }

  @Test("the executable ends with 1 and one sentence when it has no password, and with 64 for wrong usage")
  func executable() async throws {
    try await withFolder { path in
      let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
      let executable = URL(filePath: tests).deletingLastPathComponent().appending(path: "acme-device").path
      func run(_ arguments: String...) async throws -> (TerminationStatus, String) {
        let result = try await Subprocess.run(
          .name("timeout"), arguments: Arguments(["60", executable] + arguments), output: .discarded, error: .string(limit: 100_000))
        return (result.terminationStatus, result.standardError)
      }
      let (status, error) = try await run(
        "enroll", "--connector", "ws://127.0.0.1:1/c", "--password-file", "\(path)/none", "--directory", "\(path)/d", "--name", "a.example",
        "--hardware-id", "x", "--timeout", "1")
      #expect(status == .exited(1))
      #expect(error.hasSuffix("Error: --password-file: \(path)/none is no use: there is no such file.\n"))
      #expect(try await run("enroll").0 == .exited(64))
    }
  }
}

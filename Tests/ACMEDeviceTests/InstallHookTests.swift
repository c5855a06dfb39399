import NIOConcurrencyHelpers
import PKI
import Testing

@testable import ACMEDeviceCommand

@Suite("The install hook")
struct InstallHookTests {
  private func run(_ command: String, limit: Duration = .seconds(30)) async throws -> [String] {
    let csr = try SigningKey(.p256).signingRequest(for: names("a.example", "b.example"))
    let certificate = InstalledCertificate(chain: try TestAuthority().issue(csr))
    let lines = NIOLockedValueBox<[String]>([])
    let hook = InstallHook(command: command) { line in lines.withLockedValue { $0.append(line) } }
    try await hook.run(folder: "/etc/device", certificate: certificate, timeLimit: limit)
    return lines.withLockedValue { $0 }
  }

  @Test("it is told what is new, and all it says is logged")
  func environment() async throws {
    let lines = try await run("echo \"$RENEWED_LINEAGE: $RENEWED_DOMAINS\"; echo error >&2")
    #expect(lines == ["/etc/device: a.example b.example", "error"])
  }

  @Test("one that says very much is heard out, and its beginning is logged")
  func talkative() async throws {
    let lines = try await run("yes hello | head -c 3000000")
    #expect(lines.count < 12_000 && lines.first == "hello")
    #expect(lines.last == "and \(3_000_000 - HookCommand.mostOutput) bytes more")
  }

  @Test("the alarm hook is told what is wrong")
  func alarm() async throws {
    let csr = try SigningKey(.p256).signingRequest(for: names("a.example"))
    let alarm = CertificateAlarm(isOver: false, text: "Late.", try TestAuthority().issue(csr).leaf)
    let lines = NIOLockedValueBox<[String]>([])
    let hook = AlarmHook(command: "echo $ACME_DEVICE_ALARM: $ACME_DEVICE_ALARM_TEXT $ACME_DEVICE_NOT_AFTER") { line in
      lines.withLockedValue { $0.append(line) }
    }
    try await hook.run(alarm, folder: "/etc/device")
    #expect(lines.withLockedValue { $0 } == ["raised: Late. \(alarm.notAfter)"])
  }

  @Test("one that fails is an error")
  func failure() async throws {
    await #expect(throws: HookError.self) { try await run("exit 3") }
  }

  @Test("one that does not end is ended, with what it has started")
  func timeLimit() async throws {
    let error = await #expect(throws: HookError.self) { try await run("sleep 1000 & wait", limit: .milliseconds(100)) }
    #expect(error?.description == "The install hook has not ended within 0.1 s.")
  }
}

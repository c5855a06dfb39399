import ArgumentParser
import FoundationEssentials
import PKI
import SchedulerAPI
import Testing
import Varlink

@testable import ACMEConnectorCommand

@Suite("acme-connector doctor")
struct DoctorCommandTests {
  private static let well = DNSName("well.example")
  private static let ill = DNSName("ill.example")

  private func withDoctor(_ body: @Sendable (TestConnector) async throws -> Void) async throws {
    let (well, ill) = (try #require(Self.well), try #require(Self.ill))
    let handler = VarlinkHandler.stream(AdminMethods.Diagnose.self) { call, _, replies in
      let fine = AdminMethods.Diagnose.Reply(
        name: well, findings: [.init(code: "answered", severity: .fine, name: well, address: "192.0.2.1", text: "It answers.")])
      guard call.names.contains(ill) else { return fine }
      try await replies.send(fine)
      return .init(name: ill, findings: [.init(code: "portClosed", severity: .wrong, name: ill, address: "192.0.2.2", text: "Port 80 is closed.")])
    }
    try await TestConnector.serving(["admin.sock": VarlinkInterfaceHandlers(.admin, [handler])], body)
  }

  @Test("shows each name with what was found, and fails when something is wrong")
  func shows() async throws {
    try await withDoctor { connector in
      try await #expect(connector.run("doctor", "well.example").output == "well.example\n  fine  answered  It answers.\n")
      let code = await #expect(throws: ExitCode.self) { try await connector.run("doctor", "well.example", "ill.example") }
      #expect(code == DoctorCommand.wrong && code != .failure)
    }
  }

  @Test("prints an object for each name, for programs")
  func json() async throws {
    try await withDoctor { connector in
      let printed = try await connector.run("doctor", "well.example", "--json").output
      let reply = try JSONDecoder().decode(AdminMethods.Diagnose.Reply.self, from: Data(printed.utf8))
      #expect(reply.findings.map(\.code) == ["answered"])
    }
  }

  @Test(
    "what is no name is refused, with what to type instead",
    arguments: [("bad_name", "use letters, digits and hyphens"), ("münchen.de", "the command idn2")])
  func noName(text: String, advice: String) {
    let error = #expect(throws: (any Error).self) { try ACMEConnector.parseAsRoot(["doctor", text]) }
    #expect(error.map { ACMEConnector.message(for: $0).contains(advice) } == true)
  }
}

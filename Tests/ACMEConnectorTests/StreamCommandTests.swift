import FoundationEssentials
import NIOConcurrencyHelpers
import PKI
import SchedulerAPI
import Testing
import Varlink

@testable import ACMEConnectorCommand

@Suite("Commands that follow a stream")
struct StreamCommandTests {
  /// Follows events of a connector that tells `first`, is restarted, and tells `second`.
  private func follow(
    _ first: [EventView], then second: [EventView]
  ) async throws -> (printed: TestConnector.Printed, askedAfter: [Int?]) {
    let calls = NIOLockedValueBox<[Int?]>([])
    let handler = VarlinkHandler.stream(AdminMethods.ListEvents.self) { parameters, _, replies in
      let number = calls.withLockedValue {
        $0.append(parameters.after)
        return $0.count
      }
      guard number == 1 else { return .init(events: second) }
      try await replies.send(.init(events: first))
      throw Restarting()
    }
    let printed = try await TestConnector.serving(["admin.sock": VarlinkInterfaceHandlers(.admin, [handler])]) {
      try await $0.run("events", "--follow")
    }
    return (printed, calls.withLockedValue { $0 })
  }

  @Test("events that are followed go on after a restart, none twice")
  func follow() async throws {
    let (printed, askedAfter) = try await follow([Samples.event(1, "first"), Samples.event(2, "second")], then: [Samples.event(3, "third")])
    #expect(askedAfter == [nil, 2])
    #expect(
      printed.output == """
        2026-11-23T11:30:00Z  warning      first [nameHeldByOther, device d1]
        2026-11-23T11:30:00Z  warning      second [nameHeldByOther, device d1]
        2026-11-23T11:30:00Z  warning      third [nameHeldByOther, device d1]

        """)
  }

  @Test("events that are followed are not missed where none was there before a restart")
  func followFromNothing() async throws {
    #expect(try await follow([], then: [Samples.event(1, "first")]).askedAfter == [nil, 0])
  }

  private func request(
    _ last: AdminMethods.Request.Reply, arguments: [String] = []
  ) async throws -> (printed: TestConnector.Printed, file: String?) {
    let id = RequestID(rawValue: "r1")
    let handler = VarlinkHandler.stream(AdminMethods.Request.self) { parameters, _, replies in
      #expect(parameters.device == "printer")
      for _ in 1...2 { try await replies.send(.init(request: id, state: .ordering)) }
      return last
    }
    return try await TestConnector.serving(["admin.sock": VarlinkInterfaceHandlers(.admin, [handler])]) { connector in
      let csr = "\(connector.directory)/device.csr"
      try Data("csr".utf8).write(to: URL(filePath: csr))
      let out = "\(connector.directory)/out.pem"
      let printed =
        try await arguments.isEmpty
        ? connector.run("request", csr, "--device", "printer") : connector.run("request", csr, "--device", "printer", "--out", out)
      return (printed, (try? Data(contentsOf: URL(filePath: out))).map { String(decoding: $0, as: UTF8.self) })
    }
  }

  @Test("a CSR file becomes a certificate on standard output, progress goes elsewhere, each state once")
  func requestToOutput() async throws {
    let result = try await request(.init(request: RequestID(rawValue: "r1"), state: .ready, chain: "chain\n"))
    #expect(result.printed.output == "chain\n")
    #expect(result.printed.notes == "Request r1: ordering\n")
  }

  @Test("with --out the certificate goes to the file")
  func requestToFile() async throws {
    let result = try await request(.init(request: RequestID(rawValue: "r1"), state: .ready, chain: "chain\n"), arguments: ["--out"])
    #expect(result.file == "chain\n")
    #expect(result.printed.output.isEmpty)
  }

  @Test("a request without a certificate fails, and says why")
  func requestFails() async throws {
    let error = await #expect(throws: CommandError.self) {
      try await request(.init(request: RequestID(rawValue: "r1"), state: .failed, text: "The authority does not answer."))
    }
    #expect(error?.description == "Request r1 has no certificate (failed): The authority does not answer.")
  }
}

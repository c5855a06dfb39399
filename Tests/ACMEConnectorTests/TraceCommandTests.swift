import ArgumentParser
import NIOConcurrencyHelpers
import PKI
import SchedulerAPI
import Telemetry
import Testing
import Varlink

@testable import ACMEConnectorCommand

@Suite("The command trace") struct TraceCommandTests {
  private let traces = AdminMethods.ListTraces.Reply(traces: [
    TraceView(category: .app, all: true, devices: [], source: .stored),
    TraceView(category: .httpClient, all: false, devices: [DeviceID(rawValue: "d1"), DeviceID(rawValue: "d2")], source: .stored),
    TraceView(category: .challenge, all: false, devices: [], source: .standard),
  ])

  @Test("shows what is traced, also without a subcommand", arguments: [["trace"], ["trace", "status"]])
  func status(arguments: [String]) async throws {
    let handler = VarlinkHandler.reply(AdminMethods.ListTraces.self) { _, _ in traces }
    let printed = try await TestConnector.serving(["admin.sock": VarlinkInterfaceHandlers(.admin, [handler])]) { connector in
      try await arguments.count == 1 ? connector.run(arguments[0]) : connector.run(arguments[0], arguments[1])
    }
    #expect(
      printed.output == """
        CATEGORY    TRACED FOR   FROM
        App         all devices  stored
        HttpClient  d1, d2       stored
        Challenge   no device    default

        """)
  }

  @Test("switches the categories that are named, in capitals or not, for one device, or all of them for all")
  func switched() async throws {
    let calls = NIOLockedValueBox<[AdminMethods.SetTrace.Parameters]>([])
    let devices = VarlinkHandler.list(AdminMethods.ListDevices.self) { _ in [try Samples.device("d1", key: "aa", name: "pbx")] }
    let set = VarlinkHandler.reply(AdminMethods.SetTrace.self) { call, _ in
      calls.withLockedValue { $0.append(call) }
      return traces
    }
    try await TestConnector.serving(["admin.sock": VarlinkInterfaceHandlers(.admin, [devices, set])]) { connector in
      try await connector.run("trace", "on", "httpclient", "App", "--device", "pbx")
      try await connector.run("trace", "off")
    }
    let (first, second) = (calls.withLockedValue { $0.first }, calls.withLockedValue { $0.last })
    #expect(first?.categories == [.httpClient, .app] && first?.on == true && first?.device == DeviceID(rawValue: "d1"))
    #expect(second?.categories == TraceCategory.allCases && second?.on == false && second?.device == nil)
  }

  @Test("knows no other categories")
  func unknown() {
    #expect(throws: (any Error).self) { try ACMEConnector.parseAsRoot(["trace", "on", "Everything"]) }
  }
}

import NIOConcurrencyHelpers
import PKI
import SchedulerAPI
import Testing
import Varlink

@testable import ACMEConnectorCommand

@Suite("Commands about what is wrong, and what is to come")
struct AlarmAndPlanCommandTests {
  private func admin(_ handler: VarlinkHandler) -> [String: VarlinkInterfaceHandlers] {
    ["admin.sock": VarlinkInterfaceHandlers(.admin, [handler])]
  }

  @Test("alarms are a table, gravest first, and a sentence where there is none")
  func alarms() async throws {
    let alarms = NIOLockedValueBox([
      AlarmView(
        id: 1, code: .nameUnreachable, severity: .minor, text: "No answer.", device: DeviceID(rawValue: "d1"), slot: "web", since: Samples.seen),
      AlarmView(id: 2, code: .authorityUnavailable, severity: .major, text: "503.", since: Samples.seen),
    ])
    let handler = VarlinkHandler.list(AdminMethods.ListAlarms.self) { call in
      alarms.withLockedValue { $0.filter { $0.id > call.after ?? 0 } }
    }
    try await TestConnector.serving(admin(handler)) { connector in
      let printed = try await connector.run("alarms")
      #expect(
        printed.output == """
          SEVERITY  ALARM                 SINCE                                  DEVICE  TEXT
          major     authorityUnavailable  2026-11-23T11:30:00Z (30 minutes ago)  -       503.
          minor     nameUnreachable       2026-11-23T11:30:00Z (30 minutes ago)  d1      No answer.

          """)
      let json = try await connector.run("alarms", "--json").output
      #expect(json.contains(#""number":"0x0024f002","severity":"major""#))
      alarms.withLockedValue { $0 = [] }
      #expect(try await connector.run("alarms").output == "No alarm stands.\n")
    }
  }

  @Test("the status says that orders wait for the CA, until when, and how many alarms stand")
  func outage() async throws {
    let handler = VarlinkHandler.reply(AdminMethods.Status.self) { _, _ in
      let outage = AuthorityOutage(
        error: "caUnavailable", text: "503 Service Unavailable.", since: Samples.seen, retryAt: TestConnector.now + .seconds(600))
      return .init(
        version: "1.0", startedAt: Samples.seen, configured: true, authority: "https://ca.example/directory", outage: outage, alarms: 2, devices: 2,
        names: 3, requests: [], schemaVersion: 1)
    }
    try await TestConnector.serving(admin(handler)) { connector in
      let output = try await connector.run("status").output
      let orders =
        "wait since 2026-11-23T11:30:00Z (30 minutes ago), the next is made 2026-11-23T12:10:00Z (in 10 minutes): 503 Service Unavailable.\n"
      #expect(output.contains(orders))
      #expect(output.contains("2; `acme-connector alarms` lists them\n"))
      #expect(try await connector.run("status", "--json").output.contains(#""outage":{"error":"caUnavailable","retryAt":"#))
    }
  }

  @Test("the plan shows turns, the load of each day and warnings, and asks for the lifetime that is rehearsed")
  func plan() async throws {
    let asked = NIOLockedValueBox<Int?>(nil)
    let handler = VarlinkHandler.stream(AdminMethods.Plan.self) { call, _, replies in
      asked.withLockedValue { $0 = call.lifetime }
      let turn = PlannedTurn(
        number: 1, device: DeviceID(rawValue: "d1"), slot: "web", names: [try Samples.name("a.example")],
        at: TestConnector.now + .seconds(86_400 * 3),
        limit: "the CA's limit")
      try await replies.send(.init(turns: [turn], next: 1, total: 4, days: [DayLoad(day: Samples.seen, orders: 3)], warnings: ["Too many names."]))
      var later = turn
      later.slot = "mail"
      later.ended = call.lifetime == nil ? nil : Samples.seen
      return .init(turns: [later], total: 4)
    }
    try await TestConnector.serving(admin(handler)) { connector in
      let output = try await connector.run("plan", "--lifetime", "45d").output
      #expect(asked.withLockedValue { $0 } == 45 * 86_400)
      #expect(output.contains("2026-11-26T12:00:00Z (in 3 days)  d1      web   -     -                     the CA's limit  a.example"))
      #expect(output.contains("d1      mail  -     2026-11-23T11:30:00Z  "), "the second part, and what would have ended")
      #expect(output.contains("And 2 later.\n"))
      #expect(output.contains("2026-11-23  3\n"))
      #expect(output.hasSuffix("Warning: Too many names.\n"))
      await #expect(throws: (any Error).self) { try await connector.run("plan", "--lifetime", "soon") }
    }
  }
}

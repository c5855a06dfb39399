import FoundationEssentials
import Glibc
import Programs
import SchedulerAPI
import Testing

extension Integration {
  /// RFC 8555 has no idempotent newOrder: only a death between sending it and storing its answer may cost an order more.
  private static let stepsThatMayCostAnOrder: Set = ["acme-client.newOrderAnswered"]

  @Suite("A service dies while a device waits, and the device gets its certificate") struct DeathTests {
    @Test("the steps are those that docs/development.md lists")
    func listed() throws {
      let page = try String(contentsOf: Project.root.appending(path: "docs/development.md"), encoding: .utf8)
      let listed = page.matches(of: /\| `([a-z-]+\.[A-Za-z]+)` \|/).map { String($0.1) }
      #expect(!listed.isEmpty && listed.sorted() == RehearsedSteps.all)
    }

    @Test("killed at a step", arguments: RehearsedSteps.ofDevices)
    func killed(at step: String) async throws {
      let markers = FileManager.default.temporaryDirectory.appending(path: "deaths-\(UInt32.random(in: 0 ... .max))")
      try FileManager.default.createDirectory(at: markers, withIntermediateDirectories: true)
      let asked = ["ACME_CONNECTOR_DIE_AT": step, "ACME_CONNECTOR_DIE_MARKERS": markers.path]
      try await Testbed.with(environment: asked) { bed in
        // With a second name the CA might be asking for the first one when challenge-http dies: that validation would fail for good.
        let names = Testbed.names(step.hasPrefix("challenge-http") ? 1 : 2)
        let device = bed.device()
        // The steps of a push are reached with a device that answers itself.
        let isPush = step.hasPrefix("device-gateway.challenge")
        for name in names where isPush { try await bed.pebble.resolve(name, to: "127.0.0.2") }
        let outcome = try await device.enroll(names, options: isPush ? ["--http", "127.0.0.2:\(bed.port)"] : [])
        try #require(outcome.succeeded, "\(outcome.complaints)")
        try await #require(device.holdsCertificate(for: names, under: bed.pebble.root))
        try #require(FileManager.default.fileExists(atPath: markers.appending(path: step).path), "the step was not reached")
        try await #require(bed.connector.certificates().count == 1)
        let record = try bed.pebble.record()
        try #require(record.certificates == 1)
        try #require(record.orders <= (stepsThatMayCostAnOrder.contains(step) ? 2 : 1))
      }
      try FileManager.default.removeItem(at: markers)
    }

    @Test("killed from outside, again and again, at any moment", arguments: ["acme-client", "challenge-http", "device-gateway", "scheduler"])
    func killed(service: String) async throws {
      try await Testbed.with { bed in
        try await withThrowingTaskGroup(of: Void.self) { tasks in
          tasks.addTask { try await killAgainAndAgain(service, of: bed.connector) }
          let devices = (0..<5).map { bed.device("device\($0)") }
          try await withThrowingTaskGroup(of: Void.self) { enrolments in
            for (number, device) in devices.enumerated() {
              enrolments.addTask {
                let names = ["d\(number).integration.example"]
                let outcome = try await device.enroll(names, options: ["--hardware-id", "device\(number)"])
                try #require(outcome.succeeded, "\(outcome.complaints)")
                try await #require(device.holdsCertificate(for: names, under: bed.pebble.root))
              }
            }
            try await enrolments.waitForAll()
          }
          try await tasks.waitForAll()
        }
        try #require(bed.pebble.record().certificates == 5)
      }
    }

    /// At moments that nobody chose: here time itself is what is tested, so the pauses are of time and not of events.
    private func killAgainAndAgain(_ service: String, of connector: Connector) async throws {
      for _ in 0..<6 {
        try await Task.sleep(for: .milliseconds(Int.random(in: 100...500)))
        if let process = connector.process(of: service) { kill(process, SIGKILL) }
      }
    }
  }
}

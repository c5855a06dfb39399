import FoundationEssentials
import GRDB
import PKI
import SchedulerAPI
import Testing

@testable import Scheduler

@Suite("The queue")
struct QueueTests {
  @Test("begins with the most urgent, whether it never waited for a limit or its wait is over; what is being ordered comes before all")
  func order() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let now = bench.clock.wallClock.now()
      // By when it is needed, until when it waits, and where it stands.
      let states: [String: (needed: Int64, wait: Int64?, state: String)] = [
        "late": (5, nil, "queued"), "waited": (4, now.milliseconds, "queued"), "waits": (1, now.milliseconds + 1, "queued"),
        "urgent": (3, nil, "queued"), "begun": (9, nil, "ordering"),
      ]
      for (name, (needed, wait, state)) in states {
        let request = try await fleet.submit(makeCSR("\(name).example.net"), of: fleet.device(name)).id
        try await fleet.store.write { database in
          try database.execute(
            sql: "UPDATE request SET neededBy = ?, waitUntil = ?, state = ? WHERE id = ?", arguments: [needed, wait, state, request.rawValue])
        }
      }
      func next(_ count: Int) async throws -> [String] {
        try await fleet.store.read { database in
          try RequestRecord.inTurn(count, at: now, from: database).map {
            try RequestRecord(row: $0).names[0].value.split(separator: ".").map(String.init)[0]
          }
        }
      }
      #expect(try await next(10) == ["begun", "urgent", "waited", "late"])
      #expect(try await next(3) == ["begun", "urgent", "waited"])
      #expect(try await next(1) == ["begun"])
    }
  }
}

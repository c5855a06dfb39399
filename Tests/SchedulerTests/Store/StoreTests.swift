import FoundationEssentials
import GRDB
import PKI
import SchedulerAPI
import Testing

@testable import Scheduler

@Suite("The store")
struct StoreTests {
  @Test("its writer syncs fully: what it has returned from survives a power cut")
  func durability() async throws {
    try await onBench { bench in
      let store = try Store(at: bench.folder.appending(component: "s.sqlite"))
      #expect(try await store.durability() == 2)
      let mode = try await store.write { try String.fetchOne($0, sql: "PRAGMA journal_mode") }
      #expect(mode == "wal")
    }
  }

  @Test("a database of a newer version is refused in one sentence that says what to do")
  func newerSchema() async throws {
    try await onBench { bench in
      let file = bench.folder.appending(component: "s.sqlite")
      try await Store(at: file).write { try $0.execute(sql: "PRAGMA user_version = 99") }
      #expect { try Store(at: file) } throws: { error in
        let text = "\(error)"
        return text.contains("newer version") && text.contains("99") && text.contains("backup") && !text.contains("\n")
      }
    }
  }

  @Test("a file that is no database is refused, not overwritten")
  func noDatabase() async throws {
    try await onBench { bench in
      let file = bench.folder.appending(component: "s.sqlite")
      let content = Data(String(repeating: "this is no database. ", count: 100).utf8)
      try content.write(to: file)
      #expect { try Store(at: file) } throws: { ($0 as? StoreError)?.description.contains("put a backup in its place") == true }
      #expect(try Data(contentsOf: file) == content)
    }
  }

  @Test("events are forgotten when they are too old")
  func retention() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await fleet.transact { try $0.record(Event(.settingChanged, "old")) }
      bench.clock.advance(by: .days(366))
      try await fleet.transact { try $0.record(Event(.settingChanged, "new")) }
      try await fleet.sweep()
      #expect(try await fleet.events(after: 0, limit: 10, of: nil).map(\.text) == ["new"])
    }
  }

  @Test(
    "the queries of the queue use an index",
    arguments: [
      "SELECT * FROM request WHERE nextAttempt <= 1",
      "SELECT min(nextAttempt) FROM request WHERE nextAttempt IS NOT NULL",
      "SELECT * FROM request WHERE isHeldByClient = 1 AND nextAttempt IS NULL",
      "SELECT * FROM request WHERE state IN ('ordering', 'queued')",
      "SELECT * FROM request WHERE device = 'd' AND csrHash = 'h' ORDER BY number DESC LIMIT 20",
    ])
  func indexes(sql: String) async throws {
    try await onBench { bench in
      let store = try Store(at: bench.folder.appending(component: "s.sqlite"))
      let plan = try await store.read { try Row.fetchAll($0, sql: "EXPLAIN QUERY PLAN " + sql).map { $0["detail"] as String } }
      #expect(plan.contains { $0.contains("USING") && $0.contains("INDEX") }, "\(plan)")
    }
  }
}

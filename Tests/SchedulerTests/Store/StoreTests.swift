import FoundationEssentials
import GRDB
import PKI
import SchedulerAPI
import Synchronization
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

  @Test("what a full disk has not taken is told to nobody and acts on nothing, not even when the next commit succeeds")
  func fullDisk() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let device = try await fleet.device("1")
      var changes = fleet.watched.changes.open().makeAsyncIterator()
      await #expect(throws: StoreError.self) {
        try await FullDisk.during(in: bench.folder) {
          try await fleet.transact { transaction in
            transaction.wish(RenewalWish(slot: "default", names: [], reason: .due), from: device)
            try transaction.record(Event(.renewalDue, "never"))
          }
        }
      }
      await #expect(throws: StoreError.self) {
        try await FullDisk.during(in: bench.folder) { _ = try await fleet.change("devices.renewDays", to: "31") }
      }
      _ = try await fleet.change("devices.renewDays", to: "32")
      let first = try await changes.next()
      #expect(first?.renewal == nil && first?.settings?.renewDays == 32)
      #expect(try await fleet.eventCodes().filter { ["renewalDue", "settingChanged"].contains($0) } == ["settingChanged"])
    }
  }

  @Test("a setting that a full disk has not taken stays as it was")
  func settingOnFullDisk() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let before = try fleet.settings.view(of: "devices.renewDays")
      await #expect(throws: StoreError.self) {
        try await FullDisk.during(in: bench.folder) { _ = try await fleet.change("devices.renewDays", to: "31") }
      }
      _ = try await fleet.change("events.keepDays", to: "300")
      #expect(try fleet.settings.view(of: "devices.renewDays").value == before.value)
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

  @Test("a database of an older version is saved before it is brought to the present one, and the backup is what it was")
  func savedBeforeMigration() async throws {
    try await onBench { bench in
      let file = bench.folder.appending(component: "s.sqlite")
      try asOlderVersion(file)
      _ = try Store(at: file, clock: bench.clock.wallClock)
      let backup = try #require(try DatabaseBackup.all(of: file).first)
      #expect(try DatabaseBackup.all(of: file).count == 1 && backup.schema == 1)
      let (saved, present) = try (schema(of: backup.file), schema(of: file))
      #expect(saved == 1 && present == Schema.version)
      let keys = try DatabaseQueue(path: backup.file.path(percentEncoded: false)).read { try String.fetchAll($0, sql: "SELECT key FROM setting") }
      #expect(keys == ["kept"])
    }
  }

  @Test("a new database, and one of the present version, need no backup")
  func nothingToSave() async throws {
    try await onBench { bench in
      let file = bench.folder.appending(component: "s.sqlite")
      for _ in 1...2 { _ = try Store(at: file) }
      #expect(try DatabaseBackup.all(of: file).isEmpty)
    }
  }

  @Test("a downgrade is told which backup to go back to: the latest that this version knows")
  func downgrade() async throws {
    try await onBench { bench in
      let file = bench.folder.appending(component: "s.sqlite")
      _ = try Store(at: file)
      _ = try DatabaseBackup.save(databaseAt: file, at: bench.clock.wallClock.now())
      bench.clock.advance(by: .seconds(1))
      let last = try #require(try DatabaseBackup.save(databaseAt: file, at: bench.clock.wallClock.now()))
      try await Store(at: file).write { try $0.execute(sql: "PRAGMA user_version = 99") }
      bench.clock.advance(by: .seconds(1))
      _ = try DatabaseBackup.save(databaseAt: file, at: bench.clock.wallClock.now())
      #expect { try Store(at: file) } throws: { "\($0)".hasSuffix("or restore the backup \(last.path(percentEncoded: false))") }
    }
  }

  @Test("a database is saved while it is open and written to, and only the five latest backups stay")
  func backupsAreBounded() async throws {
    try await onBench { bench in
      let file = bench.folder.appending(component: "s.sqlite")
      let store = try Store(at: file)
      for turn in 1...7 {
        try await store.write { try $0.execute(sql: "INSERT INTO setting VALUES (?, '')", arguments: ["\(turn)"]) }
        _ = try DatabaseBackup.save(databaseAt: file, at: bench.clock.wallClock.now())
        bench.clock.advance(by: .seconds(1))
      }
      let counts = try DatabaseBackup.all(of: file).map { backup in
        try DatabaseQueue(path: backup.file.path(percentEncoded: false)).read { try Int.fetchOne($0, sql: "SELECT count(*) FROM setting") }
      }
      #expect(counts == [7, 6, 5, 4, 3])
    }
  }

  @Test("where there is no database there is nothing to save, and none is made")
  func noDatabaseToSave() async throws {
    try await onBench { bench in
      let file = bench.folder.appending(component: "s.sqlite")
      let backup = try DatabaseBackup.save(databaseAt: file, at: bench.clock.wallClock.now())
      #expect(backup == nil)
      #expect(!FileManager.default.fileExists(atPath: file.path(percentEncoded: false)))
    }
  }

  @Test("an empty file where a backup shows that there was a database is refused, with what to do")
  func emptied() async throws {
    try await onBench { bench in
      let file = bench.folder.appending(component: "s.sqlite")
      #expect(try !Store(at: file).wasEmptied, "a new one")
      let backup = try #require(try DatabaseBackup.save(databaseAt: file, at: bench.clock.wallClock.now()))
      try Data().write(to: file)
      #expect { try Store(at: file) } throws: { "\($0)".contains("put that in its place") && "\($0)".contains(backup.path(percentEncoded: false)) }
      #expect(try Data(contentsOf: file).isEmpty)
    }
  }

  @Test("an empty file without a backup is begun anew, for a first start may have died there, but not without a word")
  func emptyFromTheStart() async throws {
    try await onBench { bench in
      let file = bench.folder.appending(component: "s.sqlite")
      try Data().write(to: file)
      #expect(try Store(at: file).wasEmptied)
      #expect(try !Store(at: file).wasEmptied)
    }
  }

  /// A database as the first version of the program left it.
  private func asOlderVersion(_ file: URL) throws {
    let pool = try DatabasePool(path: file.path(percentEncoded: false))
    try Schema.migrator.migrate(pool, upTo: "1")
    try pool.write { try $0.execute(sql: "INSERT INTO setting VALUES ('kept', 'value')") }
  }

  private func schema(of file: URL) throws -> Int {
    try DatabaseQueue(path: file.path(percentEncoded: false)).read { try Schema.version(of: $0) }
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
      "SELECT * FROM request WHERE state = 'ordering'",
      "DELETE FROM device WHERE isKnown = 0 AND NOT EXISTS (SELECT 1 FROM request WHERE request.device = device.id)",
      "DELETE FROM ledger WHERE fullAt <= 1",
      "SELECT * FROM request WHERE device = 'd' AND csrHash = 'h' ORDER BY number DESC LIMIT 20",
      "SELECT * FROM request WHERE dueAt <= 1", "SELECT * FROM request WHERE keyPin = 'k' AND state <> 'superseded'",
      "SELECT min(waitUntil) FROM request WHERE waitUntil > 1", "SELECT max(waitUntil) FROM request WHERE waitUntil IS NOT NULL",
      "SELECT count(*) FROM request WHERE waitFor = 'orders' AND (coalesce(neededBy, requestedAt), number) < (1, 1)",
      "SELECT * FROM renewal WHERE state = 'waiting' AND dueAt <= 1 ORDER BY dueAt",
      "SELECT * FROM renewal WHERE answerBy <= 1", "SELECT NOT EXISTS (SELECT 1 FROM renewal WHERE campaign = 1)",
      "SELECT * FROM renewal WHERE pollAt <= 1 ORDER BY pollAt",
      "SELECT * FROM renewal WHERE reviewAt <= 1",
      "SELECT * FROM renewal WHERE rule < 'a' OR rule > 'a'",
      "SELECT * FROM certificate WHERE announceAt <= 1",
      "SELECT * FROM certificate WHERE observeAt <= 1 ORDER BY observeAt",
      "SELECT * FROM alarm WHERE tellAt <= 1", "SELECT * FROM device WHERE adoptedDueAt <= 1",
      "SELECT * FROM certificate WHERE fingerprint = 'f'",
    ])
  func indexes(sql: String) async throws {
    try await onBench { bench in
      let store = try Store(at: bench.folder.appending(component: "s.sqlite"))
      let plan = try await store.read { try Row.fetchAll($0, sql: "EXPLAIN QUERY PLAN " + sql).map { $0["detail"] as String } }
      #expect(plan.contains { $0.contains("USING") && $0.contains("INDEX") }, "\(plan)")
    }
  }
}

import FoundationEssentials
import GRDB
import PKI
import SchedulerAPI
import Synchronization
import Testing

@testable import Scheduler

@Suite("A restored backup")
struct RestoreTests {
  private static let limited = ["ACME_CONNECTOR_AUTHORITY_DIRECTORY": "https://acme.test/directory", "ACME_CONNECTOR_LIMITS_APPLY": "true"]

  /// A process at its start.
  private func start(_ bench: Bench) async throws -> Fleet {
    let fleet = try bench.fleet(Self.limited)
    try await fleet.recogniseRestore()
    return fleet
  }

  private func status(_ fleet: Fleet) async throws -> AdminMethods.Status.Reply { try await fleet.status(startedAt: .earliest) }

  /// One certificate for the name, of a device of its own.
  private func enrol(_ name: String, at fleet: Fleet, _ bench: Bench) async throws {
    try await bench.working(fleet) {
      let device = try await fleet.device(name)
      _ = try await fleet.request(fleet.submit(makeCSR(name), of: device).id, of: device, in: .ready)
    }
  }

  private func database(_ bench: Bench) -> URL { bench.folder.appending(component: "scheduler.sqlite") }

  private func replace(_ database: URL, by copy: URL) throws {
    for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: database.path(percentEncoded: false) + suffix) }
    try FileManager.default.copyItem(at: copy, to: database)
  }

  @Test("restarts, with and without work in between, are none")
  func restarts() async throws {
    try await onBench { bench in
      for number in 0..<3 {
        let fleet = try await start(bench)
        if number == 1 { try await enrol("a.example.net", at: fleet, bench) }
        #expect(try await status(fleet).cautiousUntil == nil)
        #expect(try await !fleet.eventCodes().contains("stateRestored"))
      }
    }
  }

  @Test("a backup of the scheduler's own is known as such, also where nothing happened since; it is one until the limits' time has passed")
  func ownBackup() async throws {
    try await onBench { bench in
      try await enrol("a.example.net", at: start(bench), bench)
      let backup = try #require(try DatabaseBackup.save(databaseAt: database(bench), at: bench.clock.wallClock.now()))
      try replace(database(bench), by: backup)

      let fleet = try await start(bench)
      let end = bench.clock.wallClock.now() + .days(7)
      #expect(try await status(fleet).cautiousUntil == end)
      #expect(try await fleet.eventCodes().filter { $0 == "stateRestored" }.count == 1)
      #expect(try await fleet.plan().warnings.first?.contains("\(end)") == true)
      try await bench.working(fleet) {
        let device = try await fleet.device("new")
        let request = try await fleet.submit(makeCSR("b.example.net"), of: device)
        try await bench.settle(fleet)
        #expect(try await fleet.resume(device, request: request.id, csrHash: nil, slot: nil).state == .queued)
        #expect(bench.client.calls(for: request.id.rawValue) == 0)
        // Two of the five certificates a week for the same names stay in reserve: the third grows back after three fifths of a week.
        try await bench.advance(by: .days(7) / 5 * 3, at: fleet)
        #expect(try await fleet.resume(device, request: request.id, csrHash: nil, slot: nil).state == .ready)
      }
      let next = try await start(bench)
      #expect(try await next.eventCodes().filter { $0 == "stateRestored" }.count == 1)
      bench.clock.advance(by: .days(7))
      #expect(try await status(next).cautiousUntil == nil)
    }
  }

  @Test("a copy made by others is recognised when orders were made since")
  func foreignCopy() async throws {
    try await onBench { bench in
      let copy = bench.folder.appending(component: "copy")
      let first = try await start(bench)
      // As `sqlite3 .backup` does.
      try await DatabaseQueue(path: database(bench).path(percentEncoded: false)).vacuum(into: copy.path(percentEncoded: false))
      try await enrol("a.example.net", at: first, bench)
      try replace(database(bench), by: copy)
      #expect(try await status(start(bench)).cautiousUntil != nil)
    }
  }

  @Test("what is about to end is ordered all the same: the CA knows better what is spent")
  func urgent() {
    let now = Instant(milliseconds: 1_790_000_000_000)
    let set = LedgerAccount.set(.init([dns("a.example.net")]))
    let ledger = Ledger([set: TokenBucket(AuthorityLimits().certificatesPerSet)], knownSince: now)
    #expect(ledger.wait(for: [set], names: [], isEmergency: false, at: now)?.until == now + .days(7) / 5 * 3)
    #expect(ledger.wait(for: [set], names: [], isEmergency: true, at: now) == nil)
  }
}

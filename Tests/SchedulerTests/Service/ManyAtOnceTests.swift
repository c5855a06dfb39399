import GRDB
import PKI
import SchedulerAPI
import Testing

@testable import Scheduler

@Suite("Much that comes due at one moment")
struct ManyAtOnceTests {
  @Test("is done a thousand at a time, and the queue looks again at once for the rest")
  func all() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        let request = try await fleet.submit(makeCSR("a.example.net"), of: device)
        _ = try await fleet.request(request.id, of: device, in: .ready)
      }
      try await fleet.store.write { try multiply(to: 1_500, in: $0) }
      bench.clock.advance(by: Transaction.offerPause)
      var looksAgain: [Bool] = []
      var left: [Int] = []
      for _ in 0..<2 {
        looksAgain.append(
          try await fleet.transact { transaction in
            try transaction.catchUp()
            return transaction.hasWork
          })
        let now = bench.clock.wallClock.now()
        left.append(try await fleet.store.read { try CertificateRecord.toAnnounce(2_000, at: now, from: $0).count })
      }
      #expect(looksAgain == [true, false])
      #expect(left == [500, 0])
    }
  }

  /// The one certificate that waits for its device's receipt, so many times.
  private func multiply(to count: Int, in database: Database) throws {
    for table in ["request", "certificate"] { try database.execute(sql: "CREATE TEMP TABLE one_\(table) AS SELECT * FROM \(table)") }
    try database.execute(sql: "UPDATE one_request SET isHeldByClient = 0")
    for number in 2...count {
      try database.execute(sql: "UPDATE one_request SET number = ?, id = ?", arguments: [number, "copy \(number)"])
      try database.execute(sql: "UPDATE one_certificate SET request = ?", arguments: ["copy \(number)"])
      for table in ["request", "certificate"] { try database.execute(sql: "INSERT INTO \(table) SELECT * FROM one_\(table)") }
    }
  }
}

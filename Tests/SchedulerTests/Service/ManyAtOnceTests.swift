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
      let now = bench.clock.wallClock.now()
      let looks = try await lookTwice(fleet) { try CertificateRecord.toAnnounce(2_000, at: now, from: $0).count }
      #expect(looks.again == [true, false])
      #expect(looks.left == [500, 0])
    }
  }

  @Test("is done so for devices, too, whose own certificates have come due")
  func adopted() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      _ = try await fleet.device("1")
      try await fleet.store.write { database in
        try database.execute(sql: "CREATE TEMP TABLE one AS SELECT * FROM device")
        for number in 1...1_500 {
          try database.execute(sql: "UPDATE one SET id = ?, key = ?, adoptedDueAt = 0", arguments: ["copy \(number)", "copy \(number)"])
          try database.execute(sql: "INSERT INTO device SELECT * FROM one")
        }
      }
      let now = bench.clock.wallClock.now()
      let looks = try await lookTwice(fleet) { try DeviceRecord.adoptedDue(2_000, at: now, from: $0).count }
      #expect(looks.again == [true, false])
      #expect(looks.left == [500, 0])
    }
  }

  /// - Returns: for each of two looks of the queue whether it wants another one at once, and how much it left.
  private func lookTwice(
    _ fleet: Fleet, counting count: @escaping @Sendable (Database) throws -> Int
  ) async throws -> (again: [Bool], left: [Int]) {
    var looks: (again: [Bool], left: [Int]) = ([], [])
    for _ in 0..<2 {
      looks.again.append(
        try await fleet.transact { transaction in
          try transaction.catchUp()
          return transaction.hasWork
        })
      looks.left.append(try await fleet.store.read(count))
    }
    return looks
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

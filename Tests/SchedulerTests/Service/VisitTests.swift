import PKI
import SchedulerAPI
import Testing

@testable import Scheduler

@Suite("For how long a device was there")
struct VisitTests {
  /// Minutes from `start` to the beginning and the end of its last visit, as far as is known.
  private func visit(of device: DeviceID, _ fleet: Fleet, since start: Instant) async throws -> [Int64] {
    let visit = try #require(try await fleet.store.read { try VisitRecord.of(device, from: $0) }).time
    return [visit.lowerBound, visit.upperBound].map { ($0 - start).components.seconds / 60 }
  }

  @Test(
    "it was last seen when it was last connected; that is written every five minutes at most, and after half an hour of silence another visit begins")
  func visits() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let start = bench.clock.wallClock.now()
      let device = try await fleet.device("1")
      _ = try await fleet.submit(makeCSR("a.example.net"), of: device)
      for (minutes, expected) in [(4, [0, 0]), (11, [0, 15]), (15, [0, 30]), (31, [61, 61])] as [(Int, [Int64])] {
        bench.clock.advance(by: .seconds(60 * minutes))
        try await fleet.noteConnected([device, DeviceID(rawValue: "nobody")])
        #expect(try await visit(of: device, fleet, since: start) == expected)
      }
      #expect(try await fleet.devices().map(\.lastSeen) == [start + .seconds(61 * 60)])
    }
  }

  @Test("a clock that is set back begins another visit")
  func clockSetBack() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let start = bench.clock.wallClock.now()
      let device = try await fleet.device("1")
      bench.clock.advance(by: .zero - .seconds(3_600))
      try await fleet.noteConnected([device])
      #expect(try await visit(of: device, fleet, since: start) == [-60, -60])
    }
  }

  @Test("more than a thousand in one call are refused")
  func tooMany() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let devices = (0...1_000).map { DeviceID(rawValue: "\($0)") }
      await #expect(throws: Refusal.self) { try await fleet.noteConnected(devices) }
    }
  }
}

import ACMEClientAPI
import PKI
import SchedulerAPI
import Synchronization
import Testing

@testable import Scheduler

@Suite("When each thing happened to a certificate")
struct StampTests {
  /// Seconds from `start` to: ordered, issued, delivered, installed, served.
  private func stamps(_ fleet: Fleet, since start: Instant) async throws -> [Int64?] {
    let certificate = try #require(try await fleet.certificates(of: nil, all: false).first)
    return [certificate.orderedAt, certificate.issuedAt, certificate.deliveredAt, certificate.installedAt, certificate.servedAt].map {
      $0.map { ($0 - start).components.seconds }
    }
  }

  @Test("is stamped, the first time that it did")
  func wholeWay() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let start = bench.clock.wallClock.now()
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        let request = try await fleet.submit(makeCSR("a.example.net"), of: device).id
        let ready = try #require(try await fleet.request(request, of: device, in: .ready).certificate)
        #expect(try await stamps(fleet, since: start) == [0, 0, nil, nil, nil])
        for _ in 0..<2 {
          try await bench.advance(by: .seconds(10), at: fleet)
          try await fleet.noteDelivered(request, to: device)
        }
        #expect(try await stamps(fleet, since: start) == [0, 0, 10, nil, nil])
        try await bench.advance(by: .seconds(10), at: fleet)
        bench.client.state.withLock { $0.sightings = [.init(address: "192.0.2.1", fingerprint: ready.fingerprint)] }
        try await fleet.confirm(ready.fingerprint, for: request, of: device)
        try await bench.advance(by: ServedWatch.firstLook, at: fleet)
        #expect(try await stamps(fleet, since: start) == [0, 0, 10, 30, 90])
      }
    }
  }

  @Test("a device that has installed it was handed it, though nobody could tell")
  func receiptAlone() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let start = bench.clock.wallClock.now()
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        _ = try await fleet.installed(makeCSR("a.example.net"), of: device)
        #expect(try await stamps(fleet, since: start) == [0, 0, 0, 0, nil])
        await #expect(throws: NotFound.self) { try await fleet.noteDelivered(RequestID(rawValue: "another's"), to: device) }
      }
    }
  }
}

import ACMEClientAPI
import PKI
import SchedulerAPI
import Synchronization
import Testing

@testable import Scheduler

@Suite("Whether an installed certificate is served")
struct ServedTests {
  private let now = Instant(milliseconds: 1_790_000_000_000)

  @Test("one that is seen at each name is served, another one at any name is not, and an alarm after an hour")
  func verdict() {
    let (own, other) = (Fingerprint(of: [1]), Fingerprint(of: [2]))
    let watch = ServedWatch(fingerprint: own, installedAt: now)
    func seen(_ name: String, _ fingerprint: Fingerprint, port: Int = 443) -> ServedWatch.Sighting {
      .init(name: dns(name), port: port, address: "192.0.2.1", fingerprint: fingerprint)
    }
    #expect(watch.verdict([seen("a.example.net", own), seen("a.example.net", other)], at: now) == .served)
    let wrong = [seen("a.example.net", own), seen("b.example.net", other)]
    #expect(watch.verdict(wrong, at: now + .seconds(600)) == .another(wrong[1], isAlarm: false, lookAt: now + .seconds(1_200)))
    #expect(watch.verdict(wrong, at: now + .days(5)) == .another(wrong[1], isAlarm: true, lookAt: now + .days(6)))
    let stale = seen("a.example.net", other, port: 5061)
    #expect(watch.verdict([seen("a.example.net", own), stale], at: now) == .another(stale, isAlarm: false, lookAt: now + .seconds(60)))
    #expect(watch.verdict([], at: now + .days(2)) == .unseen(lookAt: now + .days(3)))
    #expect(watch.verdict([], at: now + .days(3)) == .unseen(lookAt: nil))
  }

  @Test("it is looked at after the receipt; another one is an alarm until the right one is seen, which is told once")
  func wholeWay() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        bench.client.state.withLock { $0.sightings = [.init(address: "192.0.2.1", fingerprint: Fingerprint(of: [2]))] }
        let ready = try await fleet.installed(makeCSR("a.example.net"), of: device).certificate
        try await bench.advance(by: .seconds(60), at: fleet)
        #expect(bench.client.state.withLock(\.observed).map(\.port) == [443])
        #expect(try await fleet.alarms(of: nil).isEmpty, "it may take a while")
        try await bench.advance(by: .seconds(900), at: fleet) { try await fleet.alarms(of: device).map(\.code) == [.notServed] }
        #expect(try await fleet.alarms(of: device).first?.slot == "default")

        bench.client.state.withLock { $0.sightings = [.init(address: "192.0.2.1", fingerprint: ready.fingerprint)] }
        try await bench.advance(by: .seconds(3_600), at: fleet) { try await fleet.alarms(of: device).isEmpty }
        let looks = bench.client.state.withLock(\.observed.count)
        try await bench.advance(by: .days(3), at: fleet)
        #expect(bench.client.state.withLock(\.observed.count) == looks)
        #expect(try await fleet.eventCodes().filter { $0 == "certificateServed" }.count == 1)
      }
    }
  }

  @Test("when it is not looked at any more, nothing is said of it either")
  func switchedOff() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        bench.client.state.withLock { $0.sightings = [.init(address: "192.0.2.1", fingerprint: Fingerprint(of: [2]))] }
        _ = try await fleet.installed(makeCSR("a.example.net"), of: device)
        try await bench.advance(by: .seconds(900), at: fleet) { try await fleet.alarms(of: device).map(\.code) == [.notServed] }
        _ = try await fleet.change("served.ports", to: "")
        try await bench.settle(fleet)
        #expect(try await fleet.alarms(of: device).isEmpty)
        #expect(try await fleet.eventCodes().last == "alarmCleared")
        _ = try await fleet.change("served.ports", to: "443")
        try await bench.advance(by: .seconds(900), at: fleet) { try await fleet.alarms(of: device).map(\.code) == [.notServed] }
      }
    }
  }

  @Test("nothing is looked at where no port is set")
  func off() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      _ = try await fleet.change("served.ports", to: "")
      try await bench.working(fleet) {
        _ = try await fleet.installed(makeCSR("a.example.net"), of: fleet.device("1"))
        try await bench.advance(by: .days(1), at: fleet)
        #expect(bench.client.state.withLock(\.observed.count) == 0)
      }
    }
  }
}

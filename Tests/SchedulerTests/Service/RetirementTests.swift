import ACMEClientAPI
import PKI
import SchedulerAPI
import Testing

@testable import Scheduler

@Suite("Devices that go")
struct RetirementTests {
  /// A device with an installed certificate.
  private func enrolled(_ fleet: Fleet, _ hardwareID: String, _ name: String) async throws -> DeviceID {
    try await fleet.enrolled(hardwareID, makeCSR(name)).device
  }

  private func refusal(_ body: () async throws -> Void) async -> Refusal? {
    do { try await body() } catch { return error as? Refusal }
    return nil
  }

  private func renewals(_ fleet: Fleet, _ device: DeviceID) async throws -> Int {
    try await fleet.store.read { try RenewalRecord.of(device, from: $0).count }
  }

  @Test("a retired device has no renewal, no alarm, no open request and no name, and keeps its certificate on record")
  func retired() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let device = try await enrolled(fleet, "1", "a.example.net")
        bench.client.set(.fail(.init(.challengeFailed, "No.")))
        let failing = try await fleet.submit(makeCSR("b.example.net"), of: device, slot: "other")
        _ = try await fleet.request(failing.id, of: device, in: .failed)
        #expect(try await fleet.alarms(of: device).count == 1)

        #expect(try await fleet.retire(device) == 2)
        #expect(try await fleet.retire(device) == 0, "it is retired already")
        #expect(try await fleet.alarms(of: device).isEmpty)
        #expect(try await fleet.names().isEmpty)
        #expect(try await renewals(fleet, device) == 0)
        #expect(try await fleet.certificates(of: device, all: true).map(\.state) == [.installed, .superseded])
        #expect(try await fleet.plan().turns.count == 0)
        let status = try await fleet.status(startedAt: .earliest)
        #expect(status.devices == 0 && status.nextExpiry == nil)
        #expect(try await fleet.eventCodes().filter { $0 == "deviceRetired" }.count == 1)
      }
    }
  }

  @Test("a retired device that comes back is told so, whatever it asks, and that is an event once a day")
  func comesBack() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let device = try await enrolled(fleet, "1", "a.example.net")
        _ = try await fleet.retire(device)
        bench.clock.advance(by: .seconds(60))
        for _ in 1...3 { #expect(await refusal { _ = try await fleet.device("1") }?.word == .retired) }
        #expect(await refusal { _ = try await fleet.submit(makeCSR("a.example.net"), of: device) }?.word == .retired)
        #expect(await refusal { _ = try await fleet.resume(device, request: nil, csrHash: nil, slot: "default") }?.word == .retired)
        #expect(await refusal { _ = try await fleet.renew(.init(device: device), force: true) }?.word == .retired)
        func comings() async throws -> Int {
          try await fleet.events(after: 0, limit: 100, of: device).filter { $0.code == "requestRefused" && $0.text.contains("reinstate") }.count
        }
        let before = try await comings()
        bench.clock.advance(by: .days(2))
        for _ in 1...3 { _ = await refusal { _ = try await fleet.device("1") } }
        #expect(try await comings() == before + 1)
      }
    }
  }

  @Test("the names of a retired device are the next one's, and first of all whose that waits for them")
  func namesAreFree() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let device = try await enrolled(fleet, "1", "a.example.net")
        let second = try await fleet.device("2")
        let waiting = try await fleet.submit(makeCSR("a.example.net"), of: second)
        #expect(waiting.state == .awaitingApproval)
        _ = try await fleet.retire(device)
        _ = try await fleet.request(waiting.id, of: second, in: .ready)
        #expect(try await fleet.names().map(\.device) == [second])
      }
    }
  }

  @Test("a device that is taken back has its names and renewals again, but for a name that is another's by now")
  func reinstated() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let (first, second) = (try await enrolled(fleet, "1", "a.example.net"), try await enrolled(fleet, "2", "b.example.net"))
        for device in [first, second] { _ = try await fleet.retire(device) }
        _ = try await fleet.submit(makeCSR("b.example.net"), of: fleet.device("3"))
        #expect(try await fleet.reinstate(first) == 1)
        #expect(try await fleet.reinstate(second) == 0)
        #expect(try await renewals(fleet, first) == 1)
        #expect(try await renewals(fleet, second) == 0)
        #expect(try await fleet.device("1") == first)
        // The certificate is renewed when it is due, as if nothing had been.
        var changes = fleet.watched.changes.open().makeAsyncIterator()
        bench.clock.advance(by: .days(61))
        while let change = try await changes.next() {
          if let wish = change.renewal, change.device == first {
            #expect(wish.reason == .due)
            break
          }
        }
      }
    }
  }

  @Test("who takes the place of a device has its names and its history, its waiting request goes on, and the device is retired")
  func replaced() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let old = try await enrolled(fleet, "1", "a.example.net")
        let new = try await fleet.device("2")
        let waiting = try await fleet.submit(makeCSR("a.example.net"), of: new)
        #expect(try await fleet.replace(old, by: new) == 1)
        _ = try await fleet.request(waiting.id, of: new, in: .ready)
        #expect(try await fleet.certificates(of: old, all: true).isEmpty)
        #expect(try await fleet.certificates(of: new, all: true).map(\.state) == [.superseded, .ready])
        #expect(try await fleet.events(after: 0, limit: 100, of: new).map(\.code).contains("certificateInstalled"))
        #expect(try await fleet.names().map(\.device) == [new])
        #expect(await refusal { _ = try await fleet.device("1") }?.word == .retired)
        #expect(try await fleet.replace(old, by: new) == 0, "a call may come twice")
      }
    }
  }

  @Test("names that its login may not have are no reason to retire a device: nothing is replaced")
  func replacedByStranger() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let old = try await enrolled(fleet, "1", "a.example.org")
        let new = try await fleet.device("2", suffixes: [dns("example.net")])
        #expect(await refusal { _ = try await fleet.replace(old, by: new) }?.word == .nameNotAllowed)
        #expect(await refusal { _ = try await fleet.replace(old, by: old) }?.word == .badMessage)
        #expect(try await fleet.device("1") == old)
        #expect(try await fleet.names().map(\.device) == [old])
      }
    }
  }
}

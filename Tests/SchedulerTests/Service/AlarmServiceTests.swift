import ACMEClientAPI
import GRDB
import PKI
import SchedulerAPI
import Synchronization
import Testing

@testable import Scheduler

@Suite("Alarms")
struct AlarmServiceTests {
  private let unreachable = Problem(.nameUnreachable, "It could not be reached.", name: dns("a.example.net"))

  private func codes(_ fleet: Fleet) async throws -> [AlarmCode] { try await fleet.alarms(of: nil).map(\.code) }

  /// Returns the next alarm that a device is told.
  private func alarm(_ changes: inout AsyncThrowingStream<Watched.Change, any Error>.Iterator) async throws -> DeviceAlarm {
    while let change = try await changes.next() {
      if let alarm = change.alarm { return alarm }
    }
    throw CancellationError()
  }

  @Test(
    "one stands from the first failure until success, through every retry and restart, is told every half hour and at each login, and its end, too")
  func wholeLife() async throws {
    try await onBench { bench in
      let first = try bench.fleet()
      bench.client.set(.fail(unreachable))
      let device = try await first.device("1")
      let request = try await first.submit(makeCSR("a.example.net"), of: device)
      try await bench.working(first) {
        var changes = first.watched.changes.open().makeAsyncIterator()
        let raised = try await alarm(&changes)
        #expect(raised.code == .nameUnreachable && raised.severity == .major && raised.name == dns("a.example.net") && !raised.over)
        try await bench.advance(by: .seconds(1_800), at: first)
        #expect(try await alarm(&changes) == raised)
        #expect(bench.client.calls(for: request.id.rawValue) == 2)
        #expect(try await codes(first) == [.nameUnreachable])
        #expect(try await first.eventCodes().filter { $0 == "alarmRaised" }.count == 1)
      }
      bench.client.set(.issue())
      let second = try bench.fleet()
      #expect(try await codes(second) == [.nameUnreachable])
      try await bench.working(second) {
        var changes = second.watched.changes.open().makeAsyncIterator()
        _ = try await second.device("1")
        #expect(try await !alarm(&changes).over)
        try await bench.advance(by: .seconds(60), at: second) { try await codes(second).isEmpty }
        #expect(try await second.eventCodes().filter { $0 == "alarmCleared" }.count == 1)
        while try await !alarm(&changes).over {}
      }
    }
  }

  @Test("the CA's trouble is one alarm of the connector's own, however many devices meet it")
  func outage() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      bench.client.set(.fail(Problem(.caUnavailable, "503.")))
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        for slot in ["a", "b", "c"] { _ = try await fleet.submit(makeCSR("\(slot).example.net"), of: device, slot: slot) }
        try await bench.settle(fleet)
        let alarms = try await fleet.alarms(of: nil)
        #expect(alarms.map(\.code) == [.authorityUnavailable] && alarms.first?.device == nil)
        bench.client.set(.issue())
        try await bench.advance(by: .seconds(60), at: fleet) { try await codes(fleet).isEmpty }
      }
    }
  }

  @Test("it becomes graver with time alone")
  func graver() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let csr = try makeCSR("a.example.net")
        let device = try await fleet.device("1")
        let ready = try await fleet.installed(csr, of: device).certificate
        bench.client.set(.fail(unreachable))
        try await bench.advance(by: .days(60), at: fleet)
        _ = try await fleet.submit(csr, of: device)
        for severity in [AlarmSeverity.minor, .indeterminate, .major] {
          try await bench.advance(by: .seconds(3 * 3_600), at: fleet) { try await fleet.alarms(of: device).first?.severity == severity }
        }
        #expect(try await fleet.alarms(of: device).map(\.code) == [.nameUnreachable])
        #expect(bench.clock.wallClock.now() < ready.notAfter)
      }
    }
  }

  @Test("an order that does not end is one when the certificate in use comes near its end, and graver then")
  func neverEnding() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let enrolled = try await fleet.enrolled("1", makeCSR("a.example.net"))
        try await bench.advance(by: .days(60), at: fleet)
        bench.client.set(.stall)
        let request = try await fleet.submit(makeCSR("a.example.net"), of: enrolled.device)
        _ = try await fleet.request(request.id, of: enrolled.device, in: .ordering)
        for (left, severity) in [(17, AlarmSeverity.indeterminate), (8, .major)] {
          bench.clock.advance(by: enrolled.certificate.notAfter - .days(left) - bench.clock.wallClock.now())
          try await bench.eventually { try await fleet.alarms(of: enrolled.device).map(\.severity) == [severity] }
        }
        #expect(try await fleet.alarms(of: enrolled.device).map(\.code) == [.certificateFailed])
      }
    }
  }

  @Test("a name that nobody approves is one, too, until somebody does")
  func neverApproved() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let enrolled = try await fleet.enrolled("1", makeCSR("a.example.net"))
        let (device, other) = (enrolled.device, try await fleet.device("2"))
        try await fleet.store.write { try $0.execute(sql: "UPDATE name SET device = ?", arguments: [other.rawValue]) }
        try await bench.advance(by: .days(60), at: fleet)
        let request = try await fleet.submit(makeCSR("a.example.net"), of: device)
        #expect(request.state == .awaitingApproval)
        for (left, severity) in [(19, []), (17, [AlarmSeverity.indeterminate]), (8, [.major]), (-1, [.major])] {
          try await bench.advance(by: enrolled.certificate.notAfter - .days(left) - bench.clock.wallClock.now(), at: fleet)
          let alarms = try await fleet.alarms(of: device)
          #expect(alarms.map(\.severity) == severity && alarms.allSatisfy { $0.code == .certificateFailed && $0.name == dns("a.example.net") })
        }
        try await fleet.approve(dns("a.example.net"), for: device)
        _ = try await fleet.request(request.id, of: device, in: .ready)
        #expect(try await !codes(fleet).contains(.certificateFailed))
      }
    }
  }

  @Test("a certificate that its device does not confirm, and one for which it does not come")
  func notInstalled() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        let request = try await fleet.submit(makeCSR("a.example.net"), of: device)
        let ready = try #require(try await fleet.request(request.id, of: device, in: .ready).certificate)
        try await fleet.noteDelivered(request.id, to: device)
        for _ in 0..<4 {
          try await bench.advance(by: .seconds(900), at: fleet)
          try await fleet.noteConnected([device])
        }
        try await bench.advance(by: .days(1) - .seconds(3_600), at: fleet)
        #expect(try await codes(fleet) == [.notInstalled])
        try await fleet.confirm(ready.fingerprint, for: request.id, of: device)
        #expect(try await codes(fleet).isEmpty)
        try await bench.advance(by: .days(59), at: fleet)
        #expect(try await fleet.eventCodes().contains("renewalDue"))
        #expect(try await codes(fleet).isEmpty, "absence alone is none")
        try await bench.advance(by: .days(4), at: fleet)
        #expect(try await codes(fleet) == [.deviceAbsent])
        try await fleet.noteAnswer(.told, slot: "default", of: device)
        #expect(try await codes(fleet).isEmpty)
      }
    }
  }

  @Test("a device that comes once a week is none: it installs its certificate in time, and says so when it comes")
  func weekly() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let csr = try makeCSR("a.example.net")
        let enrolled = try await fleet.enrolled("1", csr)
        try await bench.advance(by: .days(60), at: fleet)
        _ = try await fleet.device("1")
        let request = try await fleet.submit(makeCSR("a.example.net"), of: enrolled.device)
        let ready = try #require(try await fleet.request(request.id, of: enrolled.device, in: .ready).certificate)
        try await fleet.noteDelivered(request.id, to: enrolled.device)
        #expect(ready.installAt == enrolled.certificate.notAfter - .days(10))
        // Seven days after it has installed it, it is there again.
        try await bench.advance(by: ready.installAt - bench.clock.wallClock.now() + .days(7), at: fleet)
        _ = try await fleet.device("1")
        #expect(try await codes(fleet).isEmpty)
        try await fleet.confirm(ready.fingerprint, for: request.id, of: enrolled.device)
        #expect(try await !fleet.eventCodes().contains("alarmRaised"))
      }
    }
  }

  @Test(
    "what is revoked, or of a CA for trials, is not in use: what fails is grave at once, and neither plan nor status tell of an end",
    arguments: ["revokedAt = 1", "issuer = '(STAGING) Puzzling Parsnip E7', authority = 'https://trial.test'"])
  func notInUse(change: String) async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let device = try await fleet.enrolled("1", makeCSR("a.example.net")).device
        #expect(try await fleet.plan().turns.map { $0.end != nil } == [true])
        try await fleet.store.write { try $0.execute(sql: "UPDATE certificate SET \(change)") }
        #expect(try await fleet.plan().turns.map { $0.end != nil } == [false])
        #expect(try await fleet.status(startedAt: .earliest).nextExpiry == nil)
        bench.client.set(.fail(unreachable))
        let request = try await fleet.submit(.init(csr: makeCSR("a.example.net").pem, force: true, isByAdministrator: true), of: device)
        _ = try await fleet.request(request.id, of: device, in: .failed)
        #expect(try await fleet.alarms(of: device).map(\.severity) == [.major])
      }
    }
  }

  @Test("the scheduler's own lateness: what was due while it was away, until it has caught up and half an hour has passed")
  func late() async throws {
    try await onBench { bench in
      let first = try bench.fleet()
      try await bench.working(first) {
        _ = try await first.installed(makeCSR("a.example.net"), of: first.device("1"))
        try await bench.settle(first)
      }
      bench.clock.advance(by: .days(60) + .seconds(2 * 3_600))
      let second = try bench.fleet()
      try await bench.working(second) {
        try await bench.settle(second)
        #expect(try await codes(second) == [.schedulerLate])
        #expect(try await second.alarms(of: nil).first?.device == nil)
        try await bench.advance(by: .seconds(1_700), at: second)
        #expect(try await codes(second) == [.schedulerLate])
        try await bench.advance(by: .seconds(100), at: second)
        #expect(try await codes(second).isEmpty)
      }
    }
  }

  @Test("a device whose login is refused, until it logs in; strangers together, until they have been quiet for an hour")
  func loginRefused() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let now = bench.clock.wallClock.now()
      @Sendable func refused(_ sip: String, _ count: Int) -> RefusedLogin {
        RefusedLogin(domain: "example.net", sip: sip, address: "192.0.2.7", since: now, count: count)
      }
      try await bench.working(fleet) {
        let device = try await fleet.device("known")
        _ = try await fleet.submit(makeCSR("a.example.net"), of: device)
        try await fleet.noteRefused([refused("known", 3), refused("stranger", 5), refused("other", 4)])
        let alarms = try await fleet.alarms(of: nil)
        #expect(alarms.map(\.code) == [.loginRefused, .loginRefused] && Set(alarms.map(\.device)) == [device, nil])
        #expect(alarms.first { $0.device == nil }?.text.contains("5 as “stranger”") == true)
        _ = try await fleet.device("known")
        #expect(try await fleet.alarms(of: device).isEmpty)

        try await bench.advance(by: .seconds(1_800), at: fleet)
        try await fleet.noteRefused([refused("stranger", 30)])
        try await bench.advance(by: .seconds(3_500), at: fleet)
        #expect(try await codes(fleet) == [.loginRefused])
        try await bench.advance(by: .seconds(100), at: fleet)
        #expect(try await codes(fleet).isEmpty)
        #expect(try await fleet.eventCodes().filter { $0 == "alarmRaised" }.count == 2)
      }
    }
  }

  @Test("this machine's own clock, when the CA's shows another time, until both agree")
  func ownClock() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let now = bench.clock.wallClock.now()
      let info = ACMEClient.GetRenewalInfo.Reply(
        supported: true, start: now + .days(50), end: now + .days(55), retryAfter: 3_600, date: now + .seconds(2 * 3_600))
      bench.client.state.withLock { $0.renewalInfo = .success(info) }
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        _ = try await fleet.submit(makeCSR("a.example.net"), of: device)
        try await bench.settle(fleet)
        #expect(try await fleet.alarms(of: nil).filter { $0.device == nil }.map(\.code) == [.clockWrong])
        try await bench.advance(by: .seconds(3_600), at: fleet)
        #expect(try await codes(fleet).contains(.clockWrong))
        try await bench.advance(by: .seconds(3_600), at: fleet)
        #expect(try await !codes(fleet).contains(.clockWrong), "the clock has been set")
      }
    }
  }

  @Test("the own clock is compared where the CA has no renewal information, too: with its directory, and with each order")
  func ownClockWithoutARI() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let client = bench.client
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        func order(_ name: String, _ ahead: Duration) async throws -> [AlarmCode] {
          client.state.withLock { $0.orderClock = ahead }
          let request = try await fleet.submit(makeCSR(name), of: device, slot: name)
          _ = try await fleet.request(request.id, of: device, in: .ready)
          return try await codes(fleet)
        }
        #expect(try await order("a.example.net", .days(1)) == [.clockWrong])
        #expect(try await order("b.example.net", .seconds(60)).isEmpty)
        client.set(.stall, for: dns("c.example.net"))
        client.state.withLock { state in
          state.renewalInfo = .success(.init(supported: false, date: bench.clock.wallClock.now() - .days(400)))
        }
        try await bench.advance(by: .days(1), at: fleet)
        #expect(try await codes(fleet) == [.clockWrong])
      }
    }
  }

  @Test("a device whose clock is wrong, until it is right")
  func clock() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let now = bench.clock.wallClock.now()
      func register(_ clock: Instant) async throws {
        _ = try await fleet.register(
          DeviceIdentity(scope: "instance", sip: "1"), description: DeviceDescription(roles: [], dnsNames: [], certificates: [], clock: clock))
      }
      try await register(now + .days(400))
      #expect(try await codes(fleet) == [.clockWrong])
      try await register(now - .seconds(60))
      #expect(try await codes(fleet).isEmpty)
    }
  }
}

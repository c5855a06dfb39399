import ACMEClientAPI
import PKI
import SchedulerAPI
import Synchronization
import Testing

@testable import Scheduler

@Suite("Certificates that the connector did not order, or not from this CA")
struct AdoptionTests {
  /// A device tells what it has.
  private func register(_ fleet: Fleet, with certificates: [String]) async throws -> DeviceID {
    try await fleet.register(
      DeviceIdentity(scope: "instance", hardwareID: "1"), description: .init(roles: [], dnsNames: [], certificates: certificates))
  }

  private func wish(_ changes: inout AsyncThrowingStream<Watched.Change, any Error>.Iterator) async throws -> RenewalWish {
    while let change = try await changes.next() { if let renewal = change.renewal { return renewal } }
    throw CancellationError()
  }

  /// A certificate of somebody for `a.example.net`, valid from now.
  private func certificate(_ bench: Bench, from issuer: String = "Some CA", days: Int = 90) throws -> String {
    var authority = TestAuthority()
    authority.name = issuer
    return try authority.chain(for: makeCSR("a.example.net"), from: bench.clock.wallClock.now(), days: days)
  }

  @Test("a connector that knows nothing keeps the CSR of a device that has a certificate, and orders when that is due")
  func adopted() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let old = try certificate(bench)
        let device = try await register(fleet, with: [old])
        #expect(try await fleet.devices().map(\.id) == [device])
        let request = try await fleet.submit(makeCSR("a.example.net"), of: device)
        #expect(request.state == .notDue && request.dueAt == bench.clock.wallClock.now() + .days(60))
        #expect(try await fleet.submit(makeCSR("a.example.net", "b.example.net"), of: device, slot: "other").state == .queued, "other names")
        bench.clock.advance(by: .days(60))
        _ = try await fleet.request(request.id, of: device, in: .ready)
      }
    }
  }

  @Test("a device that only told of its certificate is asked for a CSR when that is due, and again when it comes back")
  func asked() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let old = try certificate(bench)
        let fingerprint = try CertificateChain(pem: old).leaf.fingerprint
        let device = try await register(fleet, with: [old])
        var changes = fleet.watched.changes.open().makeAsyncIterator()
        bench.clock.advance(by: .days(61))
        for _ in 1...2 {
          let wish = try await wish(&changes)
          #expect(wish.reason == .due && wish.fingerprint == fingerprint && wish.names == [dns("a.example.net")] && wish.slot == "default")
          _ = try await register(fleet, with: [old])
        }
        let request = try await fleet.submit(makeCSR("a.example.net"), of: device)
        _ = try await fleet.request(request.id, of: device, in: .ready)
        #expect(try await fleet.store.read { try DeviceRecord.fetch(device, from: $0)?.adoptedDueAt } == nil)
      }
    }
  }

  @Test(
    "the plan shows it; its device is asked each day once it is due; one that does not answer is an alarm, graver as the end comes near and after it, until there is a CSR"
  )
  func unanswered() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let old = try CertificateChain(pem: certificate(bench)).leaf
        let device = try await register(fleet, with: [old.pem])
        let plan = try await fleet.plan()
        let shown = try await fleet.store.read { try plan.shown(0..<plan.turns.count, from: $0) }
        #expect(shown.map(\.device) == [device] && shown.first?.names == [dns("a.example.net")])
        #expect(shown.first?.at == old.notAfter - .days(30) && shown.first?.end == old.notAfter)
        #expect(try await fleet.plan(lifetime: .days(45)).turns.map(\.at) == [old.notBefore + .days(30)])

        func alarm(at moment: Instant) async throws -> AlarmSeverity? {
          try await bench.advance(by: moment - bench.clock.wallClock.now(), at: fleet)
          let alarms = try await fleet.alarms(of: device)
          #expect(alarms.allSatisfy { $0.code == .deviceAbsent && $0.slot == "default" })
          return alarms.first?.severity
        }
        #expect(try await alarm(at: old.notAfter - .days(28)) == nil, "absence alone is none")
        #expect(try await alarm(at: old.notAfter - .days(27)) == .minor)
        var changes = fleet.watched.changes.open().makeAsyncIterator()
        #expect(try await alarm(at: old.notAfter - .days(18)) == .indeterminate)
        #expect(try await wish(&changes).fingerprint == old.fingerprint)
        #expect(try await alarm(at: old.notAfter - .days(9)) == .major)
        #expect(try await alarm(at: old.notAfter + .days(5)) == .major)
        _ = try await register(fleet, with: [old.pem])
        #expect(try await fleet.alarms(of: device).map(\.severity) == [.major], "that it has ended is no reason to forget it")
        #expect(try await fleet.plan().turns.map(\.at) == [bench.clock.wallClock.now()])

        let request = try await fleet.submit(makeCSR("a.example.net"), of: device)
        _ = try await fleet.request(request.id, of: device, in: .ready)
        #expect(try await fleet.alarms(of: device).isEmpty)
        #expect(try await fleet.plan().turns.count == 1)
      }
    }
  }

  @Test(
    "while its successor waits for a limit it is still what ends: its turn comes before that of a device without any, the plan shows its end, its alarm is as grave, and what is kept for emergencies is for it"
  )
  func waiting() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet([
        "ACME_CONNECTOR_AUTHORITY_DIRECTORY": "https://acme.test/directory", "ACME_CONNECTOR_LIMITS_APPLY": "true",
        "ACME_CONNECTOR_LIMITS_CERTIFICATES_PER_DOMAIN": "5",
      ])
      try await bench.working(fleet) {
        let old = try CertificateChain(pem: certificate(bench, days: 5)).leaf
        bench.clock.advance(by: .days(5) - .seconds(20 * 3_600))
        for number in 2...4 { _ = try await fleet.enrolled("\(number)", makeCSR("d\(number).example.net")) }
        let newcomer = try await fleet.device("5")
        _ = try await fleet.submit(makeCSR("d5.example.net"), of: newcomer)
        let device = try await register(fleet, with: [old.pem])
        let request = try await fleet.submit(makeCSR("a.example.net"), of: device)
        try await bench.settle(fleet)

        let alarms = try await fleet.alarms(of: device)
        #expect(alarms.map(\.code) == [.rateLimited] && alarms.map(\.severity) == [.indeterminate])
        let plan = try await fleet.plan()
        let shown = try await fleet.store.read { try plan.shown(0..<2, from: $0) }
        #expect(shown.map(\.device) == [device, newcomer] && shown.map(\.end) == [old.notAfter, nil])
        #expect(plan.warnings.isEmpty && shown[0].at < old.notAfter, "what is kept for emergencies is for it before it is too late")

        try await bench.advance(by: .seconds(8 * 3_600), at: fleet)
        _ = try await fleet.request(request.id, of: device, in: .ready)
        #expect(try await fleet.alarms(of: device).isEmpty)
      }
    }
  }

  @Test("while its successor waits for an approval that is an alarm as its end comes near, and after it")
  func unapproved() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let old = try CertificateChain(pem: certificate(bench)).leaf
        _ = try await fleet.enrolled("2", makeCSR("a.example.net"))
        try await bench.advance(by: .days(60), at: fleet)
        let device = try await register(fleet, with: [old.pem])
        let request = try await fleet.submit(makeCSR("a.example.net"), of: device)
        #expect(request.state == .awaitingApproval)
        for (left, severity) in [(19, []), (17, [AlarmSeverity.indeterminate]), (8, [.major]), (-1, [.major])] {
          try await bench.advance(by: old.notAfter - .days(left) - bench.clock.wallClock.now(), at: fleet)
          let alarms = try await fleet.alarms(of: device)
          #expect(alarms.map(\.severity) == severity && alarms.allSatisfy { $0.code == .certificateFailed })
        }
        #expect(try await fleet.plan().turns.count == 1, "that of the other device: none comes without the approval")
        try await fleet.approve(dns("a.example.net"), for: device)
        _ = try await fleet.request(request.id, of: device, in: .ready)
        #expect(try await fleet.alarms(of: device).isEmpty)
      }
    }
  }

  @Test("one that was renewed elsewhere is neither asked for nor missed any more, and nothing is of a device that is retired")
  func renewedElsewhere() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let old = try certificate(bench)
        let device = try await register(fleet, with: [old])
        try await bench.advance(by: .days(63), at: fleet)
        #expect(try await fleet.alarms(of: device).map(\.code) == [.deviceAbsent])
        let new = try certificate(bench)
        _ = try await register(fleet, with: [old, new])
        #expect(try await fleet.alarms(of: device).isEmpty)
        #expect(
          try await fleet.plan().turns.map(\.at) == [bench.clock.wallClock.now() + .days(60)], "of several for the same names the newest counts")
        _ = try await fleet.retire(device)
        #expect(try await fleet.plan().turns.isEmpty)
      }
    }
  }

  @Test("what the device signed itself, what is over, and what a staging CA issued is no certificate to wait for")
  func worthless() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let over = try certificate(bench)
        bench.clock.advance(by: .days(91))
        let own = try certificate(bench, from: "a.example.net")
        let staging = try certificate(bench, from: "(STAGING) Puzzling Parsnip E7")
        let device = try await register(fleet, with: [over, own, staging])
        #expect(try await fleet.submit(makeCSR("a.example.net"), of: device).state == .queued)
      }
    }
  }

  @Test("certificates of the former CA stay until they are due, and the same CSR too waits until then")
  func formerAuthority() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet([:])
      _ = try await fleet.change("authority.directory", to: "https://acme.test/directory")
      try await bench.working(fleet) {
        let csr = try makeCSR("a.example.net")
        let enrolled = try await fleet.enrolled("1", csr)
        let (device, old) = (enrolled.device, enrolled.certificate)
        _ = try await fleet.change("authority.directory", to: "https://other.test/directory")
        let again = try await fleet.submit(.init(csr: csr.pem, replaces: old.fingerprint), of: device)
        #expect(again.state == .notDue && again.dueAt == old.notAfter - .days(30))
        bench.clock.advance(by: .days(60))
        _ = try await fleet.request(again.id, of: device, in: .ready)
        #expect(bench.client.state.withLock(\.directories) == ["https://acme.test/directory", "https://other.test/directory"])
        #expect(bench.client.state.withLock(\.replaced) == [nil, nil], "a CA replaces what it has issued")
      }
    }
  }

  @Test("certificates of a staging CA are replaced at once when another CA is set, many of them as one campaign", arguments: [1, 6])
  func trials(count: Int) async throws {
    try await onBench { bench in
      let fleet = try bench.fleet([:])
      _ = try await fleet.change("authority.directory", to: "https://staging.test/directory")
      bench.client.state.withLock { $0.authority.name = "(STAGING) Puzzling Parsnip E7" }
      try await bench.working(fleet) {
        for number in 1...count {
          let old = try await fleet.enrolled("\(number)", makeCSR("d\(number).example.net"))
          let kept = try await fleet.submit(
            .init(csr: makeCSR("d\(number).example.net").pem, replaces: old.certificate.fingerprint), of: old.device)
          #expect(kept.state == .notDue, "while the CA for trials is the one that is set")
        }
        bench.client.state.withLock { $0.authority.name = "Test Issuer" }
        _ = try await fleet.change("authority.directory", to: "https://acme.test/directory")
        try await bench.eventually {
          let states = try await fleet.certificates(of: nil, all: false).map(\.state)
          return states.filter { $0 == .ready }.count == count
        }
        #expect(try await fleet.campaigns().count == (count > 4 ? 1 : 0))
        if count > 4 { try await bench.eventually { try await fleet.campaigns().first?.endedAt != nil } }
      }
    }
  }

  @Test("another CA is rehearsed: how many certificates stay, how many do not, how long all would take, and nothing is changed")
  func rehearsed() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet([:])
      _ = try await fleet.change("authority.directory", to: "https://acme.test/directory")
      try await bench.working(fleet) {
        for number in 1...4 {
          if number == 4 { bench.client.state.withLock { $0.authority.name = "(STAGING) Puzzling Parsnip E7" } }
          let device = try await fleet.device("\(number)")
          let request = try await fleet.submit(makeCSR("d\(number).example.net"), of: device)
          _ = try await fleet.request(request.id, of: device, in: .ready)
        }
        _ = try await fleet.change("limits.apply", to: "true")
        _ = try await fleet.change("limits.certificatesPerDomain", to: "5")
        let now = bench.clock.wallClock.now()
        let reply = try await fleet.plan(authority: "https://other.test/directory")
        let change = try #require(reply.change)
        #expect(change.staying == 3 && change.replaced == 1)
        #expect(change.limit == "the CA's limit on certificates for example.net")
        // Three of five at once, and the fourth when one has grown back.
        #expect(change.allAt == now + .seconds(7 * 86_400 / 5))
        #expect(reply.turns.map(\.at).min() == now)
        #expect(fleet.settings.current.authority?.directory == "https://acme.test/directory")
        #expect(try await fleet.plan().change == nil)
        await #expect(throws: Refusal.self) { try await fleet.plan(authority: "no URL") }
      }
    }
  }
}

import ACMEClientAPI
import PKI
import SchedulerAPI
import Synchronization
import Testing

@testable import Scheduler

@Suite("Renewal")
struct RenewalServiceTests {
  /// A device with an installed certificate for 90 days, about which the CA has been asked.
  private func enrolled(
    _ fleet: Fleet, _ csr: SigningRequest, _ bench: Bench
  ) async throws -> (device: DeviceID, request: RequestID, certificate: DeliveredCertificate) {
    let device = try await fleet.device("1")
    let (request, certificate) = try await fleet.installed(csr, of: device)
    try await bench.settle(fleet)
    return (device, request, certificate)
  }

  private func submit(_ csr: SigningRequest, replacing fingerprint: Fingerprint, of device: DeviceID, in fleet: Fleet) async throws -> RequestView {
    try await fleet.submit(.init(csr: csr.pem, replaces: fingerprint), of: device)
  }

  /// Returns the next wish for a CSR.
  private func wish(_ changes: inout AsyncThrowingStream<Watched.Change, any Error>.Iterator) async throws -> RenewalWish {
    while let change = try await changes.next() {
      if let renewal = change.renewal { return renewal }
    }
    throw CancellationError()
  }

  private func states(_ fleet: Fleet, _ device: DeviceID) async throws -> [RequestState] {
    try await fleet.certificates(of: device, all: true).map(\.state)
  }

  @Test("a CSR that comes early is kept, told when it is due, replaced by a newer one, and ordered at that moment with what it replaces")
  func early() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let (device, _, old) = try await enrolled(fleet, makeCSR("a.example.net"), bench)
        let first = try await submit(makeCSR("a.example.net"), replacing: old.fingerprint, of: device, in: fleet)
        #expect(first.state == .notDue && first.dueAt == old.notAfter - .days(30))
        let csr = try makeCSR("a.example.net")
        let second = try await submit(csr, replacing: old.fingerprint, of: device, in: fleet)
        #expect(second.state == .notDue)
        #expect(try await submit(csr, replacing: old.fingerprint, of: device, in: fleet).id == second.id)
        #expect(try await states(fleet, device) == [.installed, .superseded, .notDue])

        try await bench.advance(by: .days(60) - .seconds(120), at: fleet)
        try await bench.advance(by: .seconds(20), at: fleet) { try await states(fleet, device).last == .ready }
        let ready = try #require(try await fleet.resume(device, request: second.id, csrHash: nil, slot: nil).certificate)
        #expect(ready.notBefore >= old.notAfter - .days(30))
        #expect(ready.installAt == old.notAfter - .days(10))
        let leaf = try CertificateChain(pem: old.chain).leaf.pem
        #expect(bench.client.state.withLock(\.replaced) == [nil, leaf])
      }
    }
  }

  @Test("a kept CSR is ordered after a restart in between, too")
  func restarted() async throws {
    try await onBench { bench in
      let first = try bench.fleet()
      let (device, old) = try await bench.working(first) {
        let (device, _, old) = try await enrolled(first, makeCSR("a.example.net"), bench)
        _ = try await submit(makeCSR("a.example.net"), replacing: old.fingerprint, of: device, in: first)
        return (device, old)
      }
      bench.clock.advance(by: old.notAfter - .days(30) - bench.clock.wallClock.now())
      let second = try bench.fleet()
      try await bench.working(second) {
        try await bench.settle(second)
        #expect(try await states(second, device).last == .ready)
      }
    }
  }

  @Test("a device that has lost its certificate need not wait")
  func lost() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let (device, _, _) = try await enrolled(fleet, makeCSR("a.example.net"), bench)
        #expect(try await fleet.submit(makeCSR("a.example.net"), of: device).state == .queued)
      }
    }
  }

  @Test("a device that told of its certificate has it, and waits")
  func told() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let (device, _, old) = try await enrolled(fleet, makeCSR("a.example.net"), bench)
        let leaf = try CertificateChain(pem: old.chain).leaf.pem
        _ = try await fleet.register(
          DeviceIdentity(scope: "instance", hardwareID: "1"), description: .init(roles: [], dnsNames: [], certificates: [leaf]))
        #expect(try await fleet.submit(makeCSR("a.example.net"), of: device).state == .notDue)
        #expect(try await fleet.submit(makeCSR("a.example.net", "b.example.net"), of: device).state == .queued, "other names are another matter")
      }
    }
  }

  @Test("when a certificate is due its device is asked, when it comes again once more, and its new CSR is ordered")
  func asked() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let (device, _, old) = try await enrolled(fleet, makeCSR("a.example.net"), bench)
        var changes = fleet.watched.changes.open().makeAsyncIterator()
        try await bench.advance(by: .days(60), at: fleet)
        let due = try await wish(&changes)
        #expect(
          due == RenewalWish(slot: "default", fingerprint: old.fingerprint, names: [dns("a.example.net")], reason: .due, deadline: old.notAfter))
        _ = try await fleet.device("1")
        #expect(try await wish(&changes) == due)
        try await fleet.noteAnswer(.told, slot: "default", of: device)
        let request = try await submit(makeCSR("a.example.net"), replacing: old.fingerprint, of: device, in: fleet)
        _ = try await fleet.request(request.id, of: device, in: .ready)
        try await bench.advance(by: .seconds(601), at: fleet)
        #expect(try await states(fleet, device) == [.installed, .ready], "and the old CSR is not")
      }
    }
  }

  @Test("a device that is not there is waited for")
  func absent() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let (device, _, _) = try await enrolled(fleet, makeCSR("a.example.net"), bench)
        var changes = fleet.watched.changes.open().makeAsyncIterator()
        try await bench.advance(by: .days(61), at: fleet)
        _ = try await wish(&changes)
        try await bench.advance(by: .days(20), at: fleet)
        #expect(try await states(fleet, device) == [.installed])
      }
    }
  }

  @Test("a device that was told and hands in no CSR, or declines, gets its certificate from the CSR it gave", arguments: [true, false])
  func fromOldCSR(declines: Bool) async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let csr = try makeCSR("a.example.net")
        let (device, _, _) = try await enrolled(fleet, csr, bench)
        var changes = fleet.watched.changes.open().makeAsyncIterator()
        try await bench.advance(by: .days(60), at: fleet)
        _ = try await wish(&changes)
        try await fleet.noteAnswer(.told, slot: "default", of: device)
        if declines {
          try await fleet.noteAnswer(.declined, slot: "default", of: device)
          try await bench.settle(fleet)
          #expect(try await states(fleet, device) == [.installed, .ready])
        } else {
          try await bench.advance(by: .seconds(10), at: fleet) { try await states(fleet, device) == [.installed, .ready] }
        }
        #expect(try await fleet.resume(device, request: nil, csrHash: csr.hash, slot: nil).certificate?.notBefore ?? .earliest > .earliest)
      }
    }
  }

  @Test("a certificate of a device that cannot connect is renewed from the CSR that an administrator gave")
  func administrators() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let device = try await fleet.register(administratorsName: "printer")
        let request = try await fleet.submit(.init(csr: makeCSR("a.example.net").pem, isByAdministrator: true), of: device)
        _ = try await fleet.request(request.id, of: device, in: .ready)
        try await bench.advance(by: .days(60), at: fleet)
        #expect(try await states(fleet, device) == [.superseded, .ready])
      }
    }
  }

  @Test("the CA is asked at once after the issue, its window decides, and a CSR that waits learns of it")
  func window() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let now = bench.clock.wallClock.now()
      let info = ACMEClient.GetRenewalInfo.Reply(supported: true, start: now + .days(40), end: now + .days(42), retryAfter: 3_600)
      bench.client.state.withLock { $0.renewalInfo = .success(info) }
      try await bench.working(fleet) {
        let (device, request, old) = try await enrolled(fleet, makeCSR("a.example.net"), bench)
        func due(_ request: RequestID) async throws -> Instant? {
          try await fleet.certificates(of: device, all: true).first { $0.request == request }?.dueAt
        }
        // The chance of this bench is a half.
        #expect(try await due(request) == now + .days(41))
        let kept = try await submit(makeCSR("a.example.net"), replacing: old.fingerprint, of: device, in: fleet)
        #expect(kept.dueAt == now + .days(41))
        let sooner = ACMEClient.GetRenewalInfo.Reply(supported: true, start: now + .days(20), end: now + .days(22), retryAfter: 3_600)
        bench.client.state.withLock { $0.renewalInfo = .success(sooner) }
        try await bench.advance(by: .seconds(3_600), at: fleet)
        #expect(try await due(kept.id) == now + .days(21))
        #expect(bench.client.state.withLock(\.inquiries.count) == 2)
      }
    }
  }

  @Test("a certificate that the CA is about to revoke is replaced at once, and its successor installed at once; the administrator is told why, once")
  func revoked() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let (device, request, old) = try await enrolled(fleet, makeCSR("a.example.net"), bench)
        let kept = try await submit(makeCSR("a.example.net"), replacing: old.fingerprint, of: device, in: fleet)
        let now = bench.clock.wallClock.now()
        let info = ACMEClient.GetRenewalInfo.Reply(
          supported: true, start: now, end: now + .seconds(1_800), explanation: "https://acme.test/incident", retryAfter: 21_600)
        bench.client.state.withLock { $0.renewalInfo = .success(info) }
        try await bench.advance(by: .days(1), at: fleet)
        let ready = try #require(try await fleet.request(kept.id, of: device, in: .ready).certificate)
        #expect(ready.installAt <= bench.clock.wallClock.now())
        // The stand-in says the same of the successor.
        let codes = try await fleet.events(after: 0, limit: 100, of: device).filter { $0.request == request }.map(\.code)
        #expect(codes.filter { $0 == "renewalPressing" }.count == 1)
        #expect(codes.filter { $0 == "renewalExplained" }.count == 1)
      }
    }
  }

  @Test("what the CA said of a certificate starts nothing once that has a successor")
  func stale() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let (device, old, _) = try await enrolled(fleet, makeCSR("a.example.net"), bench)
        let renewed = try #require(try await fleet.renew(.init(device: device), force: true).first)
        _ = try await fleet.request(renewed, of: device, in: .ready)
        let past = bench.clock.wallClock.now() - .days(1)
        try await fleet.transact {
          try $0.take(.window(start: past, end: past + .seconds(60), explanation: nil, retryAfter: nil), for: old)
        }
        try await bench.advance(by: .days(1), at: fleet) { bench.client.state.withLock(\.inquiries.count) > 4 }
        #expect(try await states(fleet, device) == [.installed, .ready])
      }
    }
  }

  @Test("a CA that cannot be asked is asked again, and the rule decides meanwhile")
  func unavailable() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      bench.client.state.withLock { $0.renewalInfo = .failure(.init(Problem(.caUnavailable, "No answer."))) }
      try await bench.working(fleet) {
        let (device, _, old) = try await enrolled(fleet, makeCSR("a.example.net"), bench)
        try await bench.advance(by: .seconds(10), at: fleet) { bench.client.state.withLock(\.inquiries.count) == 4 }
        #expect(try await fleet.certificates(of: device, all: true).first?.dueAt == old.notAfter - .days(30))
      }
    }
  }

  @Test("a changed rule moves what is not due yet")
  func changedRule() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let (device, _, old) = try await enrolled(fleet, makeCSR("a.example.net"), bench)
        let kept = try await submit(makeCSR("a.example.net"), replacing: old.fingerprint, of: device, in: fleet)
        _ = try await fleet.change("devices.renewDays", to: "20")
        try await bench.settle(fleet)
        #expect(try await fleet.resume(device, request: kept.id, csrHash: nil, slot: nil).dueAt == old.notAfter - .days(20))
      }
    }
  }

  @Test("a certificate is offered again at the moment to install it, and from then on, until it is confirmed")
  func offered() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let (device, _, _) = try await enrolled(fleet, makeCSR("a.example.net"), bench)
        let renewed = try #require(try await fleet.renew(.init(device: device), force: true).first)
        let ready = try #require(try await fleet.request(renewed, of: device, in: .ready).certificate)
        var changes = fleet.watched.changes.open().makeAsyncIterator()
        func offer() async throws -> RequestID? {
          while let change = try await changes.next() { if let request = change.request { return request.id } }
          return nil
        }
        try await bench.advance(by: ready.installAt - bench.clock.wallClock.now(), at: fleet)
        #expect(try await offer() == renewed)
        try await bench.advance(by: .seconds(21_600), at: fleet)
        #expect(try await offer() == renewed)
        try await fleet.confirm(ready.fingerprint, for: renewed, of: device)
        let next = try await fleet.store.read { try CertificateRecord.nextAnnouncement(from: $0) }
        #expect(next == nil)
      }
    }
  }
}

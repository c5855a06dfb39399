import ACMEClientAPI
import GRDB
import PKI
import SchedulerAPI
import Synchronization
import Telemetry
import Testing

@testable import Scheduler

@Suite("Orders")
struct OrderTests {
  @Test("a certificate is kept, released at acme-client, confirmed by its device, and all of it is one trace")
  func wholeWay() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        let trace = TraceContext.make()
        let request = try await TraceContext.$current.withValue(trace) { try await fleet.submit(makeCSR("a.example.net"), of: device) }
        let ready = try await fleet.request(request.id, of: device, in: .ready)
        let certificate = try #require(ready.certificate)
        #expect(certificate.installAt == bench.clock.wallClock.now())
        try await bench.settle(fleet)
        #expect(bench.client.state.withLock(\.released) == [request.id.rawValue])
        #expect(bench.client.state.withLock(\.traces) == [trace.traceID])
        let held = try await fleet.store.read {
          try Int.fetchOne($0, sql: "SELECT count(*) FROM attempt WHERE endedAt IS NOT NULL AND failure IS NULL")
        }
        #expect(held == 1)

        await #expect { try await fleet.confirm(Fingerprint(of: [1]), for: request.id, of: device) } throws: { ($0 as? Refusal)?.word == .badMessage }
        try await fleet.confirm(certificate.fingerprint, for: request.id, of: device)
        try await fleet.confirm(certificate.fingerprint, for: request.id, of: device)
        #expect(try await fleet.resume(device, request: request.id, csrHash: nil, slot: nil).state == .installed)
        #expect(try await fleet.eventCodes() == ["deviceFirstSeen", "requestAccepted", "certificateIssued", "certificateInstalled"])
        let events = try await fleet.events(after: 0, limit: 10, of: device)
        #expect(events.prefix(3).dropFirst().allSatisfy { $0.trace?.traceID == trace.traceID })
      }
    }
  }

  @Test("a stored request that cannot be read is told once and set aside, and the others are ordered")
  func unreadable() async throws {
    try await onBench { bench in
      let first = try bench.fleet()
      let device = try await first.device("1")
      let csr = try makeCSR("a.example.net")
      let damaged = try await first.submit(csr, of: device, slot: "damaged")
      let whole = try await first.submit(makeCSR("b.example.net"), of: device, slot: "whole")
      try await first.store.write {
        try $0.execute(sql: #"UPDATE request SET names = '["no name!"]' WHERE id = ?"#, arguments: [damaged.id.rawValue])
      }
      let second = try bench.fleet()
      try await bench.working(second) {
        _ = try await second.request(whole.id, of: device, in: .ready)
        let events = try await second.events(after: 0, limit: 100, of: device).filter { $0.request == damaged.id && $0.code == "orderFailed" }
        #expect(events.count == 1 && events.allSatisfy { $0.text.contains("set aside") })
        let again = try await second.submit(csr, of: device, slot: "damaged")
        _ = try await second.request(again.id, of: device, in: .ready)
        #expect(try await second.certificates(of: device, all: true).map(\.request) == [whole.id, again.id])
      }
    }
  }

  @Test("an order that was under way when the process was killed is taken up, not made anew")
  func takenUp() async throws {
    try await onBench { bench in
      let first = try bench.fleet()
      bench.client.set(.stall)
      let device = try await first.device("1")
      let request = try await first.submit(makeCSR("a.example.net"), of: device)
      try await bench.working(first) {
        try await bench.eventually { bench.client.calls(for: request.id.rawValue) == 1 }
      }
      bench.client.set(.issue())
      let second = try bench.fleet()
      try await bench.working(second) {
        _ = try await second.request(request.id, of: device, in: .ready)
        let certificates = try await second.certificates(of: device, all: true)
        #expect(certificates.map(\.newOrders) == [1])
        let attempts = try await second.store.read { try AttemptRecord.of(request.id, from: $0).count }
        #expect(attempts == 1)
      }
    }
  }

  @Test("what was kept and not released when the process was killed is released by the next")
  func releasedLater() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let device = try await fleet.device("1")
      let request = try await fleet.submit(makeCSR("a.example.net"), of: device)
      try await bench.working(fleet) { _ = try await fleet.request(request.id, of: device, in: .ready) }
      try await fleet.store.write { try $0.execute(sql: "UPDATE request SET isHeldByClient = 1") }
      bench.client.state.withLock { $0.released = [] }

      let next = try bench.fleet()
      try await bench.working(next) {
        try await bench.settle(next)
        #expect(bench.client.state.withLock(\.released) == [request.id.rawValue])
        #expect(try await next.store.read { try RequestRecord.toRelease(10, from: $0).isEmpty })
      }
      #expect(bench.client.calls(for: request.id.rawValue) == 1)
    }
  }

  @Test("acme-client that restarts, or is not there yet, is called again")
  func restarting() async throws {
    try await onBench { bench in
      // The doctor would have pauses, too.
      let fleet = try bench.fleet(["ACME_CONNECTOR_AUTHORITY_DIRECTORY": "https://acme.test/directory", "ACME_CONNECTOR_DOCTOR_MODE": "off"])
      let device = try await fleet.device("1")
      bench.client.set(.restartOnce)
      let request = try await fleet.submit(makeCSR("a.example.net"), of: device)
      try await bench.working(fleet, withClient: false) {
        // Nobody listens: the pauses are the clock's, so nothing happens while it stands still.
        let pause = try await bench.clock.nextPause(within: RetryPolicy.longest)
        try await bench.serving(bench.client.interface, at: bench.path("acme-client.sock")) {
          bench.clock.advance(by: pause)
          // The next call is the one that is interrupted.
          bench.clock.advance(by: try await bench.clock.nextPause(within: RetryPolicy.longest))
          _ = try await fleet.request(request.id, of: device, in: .ready)
        }
      }
      #expect(bench.client.calls(for: request.id.rawValue) == 2)
    }
  }

  @Test("a failure is told with its pause, kept, and the same request is tried again when the pause is over")
  func retried() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      bench.client.set(.fail(Problem(.nameUnreachable, "a.example.net could not be reached.", name: dns("a.example.net"))))
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        let request = try await fleet.submit(makeCSR("a.example.net"), of: device)
        let failed = try await fleet.request(request.id, of: device, in: .failed)
        let failure = try #require(failed.failure)
        #expect(failure.error == "nameUnreachable")
        #expect(failure.name == dns("a.example.net"))
        #expect(!failure.final)
        // A minute, and an eighth of it by the chance of this bench.
        #expect(failure.retryAfter == 68)
        #expect(try await fleet.eventCodes().suffix(2) == ["orderFailed", "alarmRaised"])

        bench.client.set(.issue())
        try await bench.advance(by: .seconds(10), at: fleet) {
          try await fleet.resume(device, request: request.id, csrHash: nil, slot: nil).state == .ready
        }
        #expect(bench.client.calls(for: request.id.rawValue) == 2)
        let attempts = try await fleet.store.read { try AttemptRecord.of(request.id, from: $0) }
        #expect(attempts.map { $0.failure?.error } == [.nameUnreachable, nil])
      }
    }
  }

  @Test("the CA's Retry-After is told and obeyed")
  func retryAfter() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      bench.client.set(.fail(Problem(.rateLimited, "Too many.", retryAfter: 4_000)))
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        let request = try await fleet.submit(makeCSR("a.example.net"), of: device)
        #expect(try await fleet.request(request.id, of: device, in: .failed).failure?.retryAfter == 4_500)
      }
    }
  }

  @Test("renewing ends the pause of what failed; a final failure is not tried again by itself, and is released")
  func renewed() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      bench.client.set(.fail(Problem(.nameNotAllowed, "Blocked.", final: true)))
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        let request = try await fleet.submit(makeCSR("a.example.net"), of: device)
        let failed = try await fleet.request(request.id, of: device, in: .failed)
        #expect(failed.failure?.final == true)
        #expect(failed.failure?.retryAfter == nil)
        try await bench.settle(fleet)
        #expect(bench.client.state.withLock(\.released) == [request.id.rawValue])

        bench.client.set(.issue())
        #expect(try await fleet.renew(.init(), force: false) == [request.id])
        _ = try await fleet.request(request.id, of: device, in: .ready)
        #expect(try await fleet.renew(.init(), force: true).isEmpty, "without a selection nothing that is well is ordered again")
      }
    }
  }

  @Test("the same CSR is renewed twice: each is a request of its own, and the old certificate stays until the receipt")
  func sameCSRTwice() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        let csr = try makeCSR("a.example.net")
        var ids = [try await fleet.submit(csr, of: device).id]
        for _ in 0..<2 {
          let last = try #require(ids.last)
          let ready = try await fleet.request(last, of: device, in: .ready)
          try await fleet.confirm(#require(ready.certificate).fingerprint, for: last, of: device)
          #expect(try await fleet.submit(csr, of: device).id == last, "not due: it joins")
          ids += try await fleet.renew(.init(name: dns("a.example.net")), force: true)
        }
        #expect(Set(ids).count == 3)
        let newest = try await fleet.request(ids[2], of: device, in: .ready)
        // The one before is valid for 90 days and is replaced ten days before its end.
        #expect(newest.certificate?.installAt == bench.clock.wallClock.now() + .days(80))
        #expect(try await fleet.resume(device, request: ids[1], csrHash: nil, slot: nil).state == .installed)
        try await fleet.confirm(#require(newest.certificate).fingerprint, for: ids[2], of: device)
        #expect(try await fleet.resume(device, request: ids[1], csrHash: nil, slot: nil).state == .superseded)
        #expect(Set(bench.client.state.withLock(\.issued)) == Set(ids.map(\.rawValue)))
      }
    }
  }

  @Test("a certificate for another key is not delivered")
  func wrongCertificate() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      bench.client.set(.wrongCertificate)
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        let request = try await fleet.submit(makeCSR("a.example.net"), of: device)
        #expect(try await fleet.request(request.id, of: device, in: .failed).failure?.error == "internalError")
        #expect(bench.client.state.withLock(\.released).contains(request.id.rawValue), "the next attempt must not be given the same chain")
      }
    }
  }

  @Test("an order under way is stopped and released when a newer CSR takes its place")
  func stopped() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      bench.client.set(.stall, for: dns("old.example.net"))
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        let old = try await fleet.submit(makeCSR("old.example.net"), of: device)
        try await bench.eventually { bench.client.state.withLock(\.underWay) == 1 }
        let new = try await fleet.submit(makeCSR("new.example.net"), of: device)
        _ = try await fleet.request(new.id, of: device, in: .ready)
        try await bench.settle(fleet)
        #expect(bench.client.state.withLock(\.released).contains(old.id.rawValue))
        // The stand-in hears of the end of the call by its connection.
        try await bench.eventually { bench.client.state.withLock(\.underWay) == 0 }
        #expect(try await fleet.resume(device, request: old.id, csrHash: nil, slot: nil).state == .superseded)
      }
    }
  }

  @Test("no more orders are under way than are set, and all are served")
  func bounded() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      _ = try await fleet.change("orders.concurrent", to: "3")
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        var ids: [RequestID] = []
        for number in 0..<20 { ids.append(try await fleet.submit(makeCSR("h\(number).example.net"), of: device, slot: "\(number)").id) }
        for id in ids { _ = try await fleet.request(id, of: device, in: .ready) }
        #expect(bench.client.state.withLock(\.most) <= 3)
        #expect(bench.client.state.withLock(\.issued).count == 20)
      }
    }
  }

  @Test("a hundred devices at once all get theirs, each with one order")
  func crowd() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
          for number in 0..<100 {
            tasks.addTask {
              let device = try await fleet.device("\(number)")
              let request = try await fleet.submit(makeCSR("h\(number).example.net"), of: device)
              let ready = try await fleet.request(request.id, of: device, in: .ready)
              try await fleet.confirm(#require(ready.certificate).fingerprint, for: request.id, of: device)
            }
          }
          try await tasks.waitForAll()
        }
      }
      #expect(bench.client.state.withLock { Set($0.issued).count } == 100)
      #expect(bench.client.state.withLock(\.issued).count == 100)
      #expect(bench.client.state.withLock(\.most) <= 32)
    }
  }

  @Test("a certificate that was issued while its device was away is handed over when that comes, and not issued again, also when it is due")
  func neverFetched() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let csr = try makeCSR("a.example.net")
        let device = try await fleet.device("1")
        let request = try await fleet.submit(csr, of: device)
        for days in [20, 41] {
          try await bench.advance(by: .days(days), at: fleet)
          var changes = fleet.watched.changes.open().makeAsyncIterator()
          _ = try await fleet.device("1")
          #expect(try await changes.next()?.request?.certificate != nil)
          if days == 20 { #expect(try await fleet.submit(csr, of: device).id == request.id) }
          try await bench.settle(fleet)
          #expect(bench.client.state.withLock(\.issued) == [request.id.rawValue])
        }
      }
    }
  }

  @Test("a certificate that is not valid yet by its device's clock is handed over when it is")
  func deviceClockBehind() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let clock = bench.clock.wallClock.now() - .seconds(2 * 3_600)
      try await bench.working(fleet) {
        let device = try await fleet.register(
          DeviceIdentity(scope: "instance", sip: "1"), description: .init(roles: [], dnsNames: [], certificates: [], clock: clock))
        var changes = fleet.watched.changes.open().makeAsyncIterator()
        /// Which requests came with a certificate by now.
        func handedOver() async throws -> Int {
          fleet.watched.changes.publish(.init(device: DeviceID(rawValue: "mark")))
          var count = 0
          while let change = try await changes.next(), change.device == device { count += change.request?.certificate == nil ? 0 : 1 }
          return count
        }
        _ = try await fleet.submit(makeCSR("a.example.net"), of: device)
        try await bench.advance(by: .seconds(7_100), at: fleet)
        #expect(try await handedOver() == 0)
        try await bench.advance(by: .seconds(200), at: fleet)
        #expect(try await handedOver() == 1)
      }
    }
  }

  @Test("a device that comes back is told what it has not confirmed, until it has")
  func toldAgain() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        let request = try await fleet.submit(makeCSR("a.example.net"), of: device)
        let ready = try await fleet.request(request.id, of: device, in: .ready)
        for _ in 0..<2 {
          var changes = fleet.watched.changes.open().makeAsyncIterator()
          #expect(try await fleet.device("1") == device)
          let change = try await changes.next()
          #expect(change?.device == device)
          #expect(change?.request == ready)
        }
        try await fleet.noteInstallFailure("disk\nfull", for: request.id, of: device)
        #expect(try await fleet.events(after: 0, limit: 100, of: device).last?.text.hasSuffix("disk full") == true)
        try await fleet.confirm(#require(ready.certificate).fingerprint, for: request.id, of: device)
        var changes = fleet.watched.changes.open(first: [.init(device: nil)]).makeAsyncIterator()
        _ = try await changes.next()
        #expect(try await fleet.device("1") == device)
        fleet.watched.changes.publish(.init(device: DeviceID(rawValue: "last")))
        #expect(try await changes.next()?.device == DeviceID(rawValue: "last"))
      }
    }
  }
}

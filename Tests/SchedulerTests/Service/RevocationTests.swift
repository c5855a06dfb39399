import ACMEClientAPI
import PKI
import SchedulerAPI
import Synchronization
import Testing
import Varlink

@testable import Scheduler

extension Enrolled {
  fileprivate var serial: String { (try? CertificateChain(pem: certificate.chain).leaf.serial) ?? "-" }
}

@Suite("Revocation")
struct RevocationTests {
  private func revoke(
    _ target: Fleet.RevocationTarget, _ reason: RevocationReason = .superseded, in fleet: Fleet, _ bench: Bench
  ) async throws -> [String] {
    try await fleet.revoke(target, for: reason, by: VarlinkClient(path: bench.path("acme-client.sock")))
  }

  private func wish(
    of device: DeviceID, _ changes: inout AsyncThrowingStream<Watched.Change, any Error>.Iterator
  ) async throws -> RenewalWish {
    while let change = try await changes.next() {
      if let renewal = change.renewal, change.device == device { return renewal }
    }
    throw CancellationError()
  }

  @Test("the device is told and asked for a CSR at once, is not handed the certificate any more, and installs the new one at once")
  func revoked() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let old = try await fleet.enrolled("1", makeCSR("a.example.net"))
        var changes = fleet.watched.changes.open().makeAsyncIterator()
        #expect(try await revoke(.fingerprint(old.certificate.fingerprint), in: fleet, bench) == [old.serial])
        #expect(bench.client.state.withLock(\.revoked) == [4])
        #expect(try await changes.next()?.request?.state == .revoked)
        let wish = try await wish(of: old.device, &changes)
        #expect(wish.reason == .revoked && !wish.newKey && wish.fingerprint == old.certificate.fingerprint)
        let known = try await fleet.resume(old.device, request: old.request, csrHash: nil, slot: nil)
        #expect(known.state == .revoked && known.certificate == nil)

        let request = try await fleet.submit(
          .init(csr: makeCSR("a.example.net").pem, replaces: old.certificate.fingerprint), of: old.device)
        let new = try #require(try await fleet.request(request.id, of: old.device, in: .ready).certificate)
        #expect(new.installAt <= bench.clock.wallClock.now())
        #expect(try await fleet.eventCodes().filter { $0 == "certificateRevoked" }.count == 1)
      }
    }
  }

  @Test("it stays revoked through a restart, and its device is asked when it comes")
  func restarted() async throws {
    try await onBench { bench in
      let first = try bench.fleet()
      let old = try await bench.working(first) {
        let old = try await first.enrolled("1", makeCSR("a.example.net"))
        _ = try await revoke(.serial(old.serial.uppercased()), in: first, bench)
        return old
      }
      let second = try bench.fleet()
      try await bench.working(second) {
        var changes = second.watched.changes.open().makeAsyncIterator()
        let device = try await second.device("1")
        #expect(device == old.device)
        #expect(try await wish(of: old.device, &changes).reason == .revoked)
        #expect(try await second.certificates(of: old.device, all: false).map(\.state) == [.revoked])
        #expect(try await second.status(startedAt: .earliest).requests == [StateCount(state: .revoked, count: 1)])
        #expect(try await second.status(startedAt: .earliest).nextExpiry == nil)
      }
    }
  }

  @Test("a device that answers nothing has its CSR ordered once more")
  func orderedAgain() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let old = try await fleet.enrolled("1", makeCSR("a.example.net"))
        var changes = fleet.watched.changes.open().makeAsyncIterator()
        _ = try await revoke(.fingerprint(old.certificate.fingerprint), in: fleet, bench)
        _ = try await wish(of: old.device, &changes)
        try await fleet.noteAnswer(.declined, slot: "default", of: old.device)
        try await bench.eventually { try await fleet.certificates(of: old.device, all: false).map(\.state) == [.revoked, .ready] }
      }
    }
  }

  @Test("after a compromise a new key is asked for, the old one is refused to everyone, and what is kept or open for it ends")
  func compromised() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let key = try SigningKey(.p256)
        let csr = try key.signingRequest(for: [dns("a.example.net")])
        let old = try await fleet.enrolled("1", csr)
        let kept = try await fleet.submit(
          .init(csr: key.signingRequest(for: [dns("a.example.net")]).pem, replaces: old.certificate.fingerprint), of: old.device)
        let other = try await fleet.enrolled("2", key.signingRequest(for: [dns("b.example.net")]))
        #expect(kept.state == .notDue)
        var changes = fleet.watched.changes.open().makeAsyncIterator()
        _ = try await revoke(.fingerprint(old.certificate.fingerprint), .keyCompromise, in: fleet, bench)
        let wish = try await wish(of: old.device, &changes)
        #expect(wish.reason == .keyCompromise && wish.newKey)
        let ended = try await fleet.resume(old.device, request: kept.id, csrHash: nil, slot: nil)
        #expect(ended.failure?.error == "newKeyRequired" && ended.failure?.final == true)
        for device in [old.device, other.device] {
          await #expect { try await fleet.submit(csr, of: device) } throws: { ($0 as? Refusal)?.word == .newKeyRequired }
        }
        #expect(try await fleet.store.read { try RenewalRecord.of(other.request, from: $0)?.demand?.reason } == .keyCompromise)
        let next = try await fleet.submit(.init(csr: makeCSR("a.example.net").pem, replaces: old.certificate.fingerprint), of: old.device)
        _ = try await fleet.request(next.id, of: old.device, in: .ready)
      }
    }
  }

  @Test("of a CA that does not revoke the administrator hears why; a key that has become known is refused all the same")
  func refusedByCA() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let csr = try makeCSR("a.example.net")
        let old = try await fleet.enrolled("1", csr)
        bench.client.state.withLock { $0.revocation = .init(Problem(.caUnavailable, "The CA sleeps.")) }
        await #expect {
          try await revoke(.device(old.device), .keyCompromise, in: fleet, bench)
        } throws: {
          guard let refusal = $0 as? Refusal else { return false }
          return refusal.word == .notRevoked && refusal.text.contains("The CA sleeps.") && refusal.text.contains(old.serial)
        }
        #expect(try await fleet.certificates(of: old.device, all: false).first?.state == .installed)
        await #expect { try await fleet.submit(csr, of: old.device) } throws: { ($0 as? Refusal)?.word == .newKeyRequired }
      }
    }
  }

  @Test("all valid certificates of a retired device are revoked, and nobody is asked for another one")
  func ofRetiredDevice() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let old = try await fleet.enrolled("1", makeCSR("a.example.net"))
        let renewed = try #require(try await fleet.renew(.init(device: old.device), force: true).first)
        _ = try await fleet.request(renewed, of: old.device, in: .ready)
        _ = try await fleet.retire(old.device)
        #expect(try await revoke(.device(old.device), .cessationOfOperation, in: fleet, bench).count == 2)
        #expect(try await revoke(.device(old.device), .cessationOfOperation, in: fleet, bench).isEmpty)
        #expect(try await fleet.store.read { try RenewalRecord.of(old.device, from: $0).isEmpty })
        #expect(try await fleet.certificates(of: old.device, all: true).map(\.state) == [.revoked, .revoked])
        _ = try await fleet.reinstate(old.device)
        var changes = fleet.watched.changes.open().makeAsyncIterator()
        _ = try await fleet.device("1")
        #expect(try await wish(of: old.device, &changes).reason == .revoked, "who is taken back needs one")
      }
    }
  }

  @Test("what is not there is not revoked")
  func unknown() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      await #expect(throws: NotFound(what: "certificate", which: "with the serial number abc")) { try await revoke(.serial("abc"), in: fleet, bench) }
      await #expect(throws: NotFound(what: "device", which: "nobody")) { try await revoke(.device(DeviceID(rawValue: "nobody")), in: fleet, bench) }
    }
  }
}

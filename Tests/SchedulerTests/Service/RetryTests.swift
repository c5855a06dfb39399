import ACMEClientAPI
import GRDB
import PKI
import SchedulerAPI
import Synchronization
import Testing

@testable import Scheduler

@Suite("Orders that are begun again")
struct RetryTests {
  private static let elsewhere = ["ACME_CONNECTOR_AUTHORITY_DIRECTORY": "https://other.test/directory"]

  private func state(_ request: RequestID, of device: DeviceID, in fleet: Fleet) async throws -> RequestState {
    try await fleet.resume(device, request: request, csrHash: nil, slot: nil).state
  }

  /// The request's order is under way, without anybody who carries it out.
  private func begin(_ request: RequestID, in fleet: Fleet) async throws {
    try await fleet.transact { transaction in
      guard let record = try RequestRecord.fetch(request, from: transaction.database) else { return }
      try transaction.handle(.orderBegan, of: record)
    }
  }

  @Test("a request whose name went to another device during its order is not tried again: it waits for an administrator")
  func nameGivenAway() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let (first, second) = (try await fleet.device("1"), try await fleet.device("2"))
      let held = try await fleet.submit(makeCSR("a.example.net"), of: first)
      try await begin(held.id, in: fleet)
      let waiting = try await fleet.submit(makeCSR("a.example.net"), of: second)
      try await fleet.approve(dns("a.example.net"), for: second)
      try await fleet.fail(held.id, AttemptFailure(error: .nameUnreachable, text: ""))
      try await bench.working(fleet) {
        _ = try await fleet.request(waiting.id, of: second, in: .ready)
        try await bench.advance(by: .seconds(10), at: fleet) { try await state(held.id, of: first, in: fleet) != .failed }
        #expect(try await state(held.id, of: first, in: fleet) == .awaitingApproval)
        #expect(bench.client.calls(for: held.id.rawValue) == 0)
      }
    }
  }

  @Test("whose turn it is and whose name is another device's gives its place in the queue to the next")
  func nameLostInQueue() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      _ = try await fleet.change("orders.concurrent", to: "1")
      let (first, second) = (try await fleet.device("1"), try await fleet.device("2"))
      let lost = try await fleet.submit(makeCSR("a.example.net"), of: first)
      let next = try await fleet.submit(makeCSR("b.example.net"), of: second)
      try await fleet.store.write {
        try $0.execute(sql: "UPDATE name SET device = ? WHERE name = 'a.example.net'", arguments: [second.rawValue])
      }
      try await bench.working(fleet) {
        _ = try await fleet.request(next.id, of: second, in: .ready)
        #expect(try await state(lost.id, of: first, in: fleet) == .awaitingApproval)
        #expect(bench.client.calls(for: lost.id.rawValue) == 0)
      }
    }
  }

  @Test(
    "an order is taken up with the authority it began with, also when another one or none is set by now",
    arguments: [["ACME_CONNECTOR_AUTHORITY_DIRECTORY": "https://other.test/directory"], [:]])
  func authority(variables: [String: String]) async throws {
    try await onBench { bench in
      let first = try bench.fleet()
      bench.client.set(.stall)
      let device = try await first.device("1")
      let request = try await first.submit(makeCSR("a.example.net"), of: device)
      try await bench.working(first) {
        try await bench.eventually { bench.client.calls(for: request.id.rawValue) == 1 }
      }
      bench.client.set(.issue())
      let second = try bench.fleet(variables)
      try await bench.working(second) { _ = try await second.request(request.id, of: device, in: .ready) }
      #expect(bench.client.state.withLock(\.directories) == Array(repeating: "https://acme.test/directory", count: 2))
    }
  }

  @Test("an attempt after a failed one is with the authority that is set by then")
  func newAuthority() async throws {
    try await onBench { bench in
      let first = try bench.fleet()
      bench.client.set(.fail(Problem(.nameUnreachable, "No.")))
      let device = try await first.device("1")
      let request = try await first.submit(makeCSR("a.example.net"), of: device)
      try await bench.working(first) { _ = try await first.request(request.id, of: device, in: .failed) }
      bench.client.set(.issue())
      let second = try bench.fleet(Self.elsewhere)
      try await bench.working(second) {
        try await bench.advance(by: .seconds(10), at: second) { try await state(request.id, of: device, in: second) == .ready }
      }
      #expect(bench.client.state.withLock(\.directories) == ["https://acme.test/directory", "https://other.test/directory"])
    }
  }

  @Test("an interrupted order whose authority nobody knows any more fails with a sentence, and is begun anew")
  func unknownAuthority() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let device = try await fleet.device("1")
      let request = try await fleet.submit(makeCSR("a.example.net"), of: device)
      try await begin(request.id, in: fleet)
      let next = try bench.fleet(Self.elsewhere)
      try await bench.working(next) {
        let failed = try await next.request(request.id, of: device, in: .failed)
        #expect(failed.failure?.error == "accountProblem")
        #expect(failed.failure?.text.contains("https://acme.test/directory") == true)
        try await bench.advance(by: .seconds(10), at: next) { try await state(request.id, of: device, in: next) == .ready }
      }
    }
  }

  @Test("a CSR that an earlier version took and this one does not fails for good, and holds no place in the queue")
  func unreadableCSR() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let device = try await fleet.device("1")
      let request = try await fleet.submit(makeCSR("a.example.net"), of: device)
      try await fleet.store.write { try $0.execute(sql: "UPDATE request SET csr = x'00' WHERE id = ?", arguments: [request.id.rawValue]) }
      try await bench.working(fleet) {
        let failed = try await fleet.request(request.id, of: device, in: .failed)
        #expect(failed.failure?.error == "badCsr" && failed.failure?.final == true)
      }
    }
  }

  @Test("of the attempts of a request the latest are remembered")
  func attempts() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let device = try await fleet.device("1")
      let request = try await fleet.submit(makeCSR("a.example.net"), of: device)
      let kept = try await fleet.store.write { database in
        for number in 0...AttemptRecord.kept {
          try AttemptRecord(request: request.id, beganAt: Instant(milliseconds: Int64(number))).insert(database)
          try AttemptRecord.end(of: request.id, failure: nil, at: Instant(milliseconds: Int64(number)), in: database)
        }
        return try AttemptRecord.of(request.id, from: database)
      }
      #expect(kept.map(\.beganAt.milliseconds) == (1...Int64(AttemptRecord.kept)).map { $0 })
    }
  }

  @Test("what comes of an order that gave way meanwhile is not kept")
  func lateFailure() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let device = try await fleet.device("1")
      let old = try await fleet.submit(makeCSR("a.example.net"), of: device)
      try await begin(old.id, in: fleet)
      _ = try await fleet.submit(makeCSR("a.example.net"), of: device)
      #expect(try await !fleet.isOrdering(old.id))
      #expect(try await !fleet.fail(old.id, .internalError("")))
    }
  }

  @Test("what the CA says of each name, and where it says more, reaches the administrator, and no more of it than is sane")
  func explained() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let names = (0..<50).map { number in
        NameProblem(name: dns("h\(number).example.net"), acmeType: nil, text: "CAA \(number)" + String(repeating: ".", count: 1_000))
      }
      bench.client.set(.fail(Problem(.caaForbids, "The CA refused.", help: "https://acme.test/help", names: names)))
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        let request = try await fleet.submit(makeCSR("h0.example.net"), of: device)
        let failed = try await fleet.request(request.id, of: device, in: .failed)
        #expect(failed.failure?.text == "The CA refused.")
        let text = try #require(try await fleet.certificates(of: device, all: false).first?.text)
        #expect(text.contains("h9.example.net: CAA 9"))
        #expect(text.contains("https://acme.test/help"))
        #expect(text.count < 5_000)
        #expect(try await fleet.events(after: 0, limit: 100, of: device).last { $0.code == "orderFailed" }?.text == "caaForbids: \(text)")
      }
    }
  }

  @Test("while an order is under way its trace is told with each step")
  func traced() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let changes = fleet.watched.changes.open()
      try await bench.working(fleet) {
        _ = try await fleet.submit(makeCSR("a.example.net"), of: fleet.device("1"))
        for try await change in changes {
          #expect(change.request?.trace != nil)
          if change.request?.state == .ready { break }
        }
      }
    }
  }

  @Test(
    "a device gets no second certificate for the same names within ten minutes, forced or not: its newest CSR waits so long, and that is told; other names, another slot and an administrator do not wait",
    arguments: [false, true])
  func floor(force: Bool) async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        let issuedAt = bench.clock.wallClock.now()
        _ = try await fleet.installed(makeCSR("a.example.net", "b.example.net"), of: device)
        try await bench.advance(by: .seconds(60), at: fleet)
        let first = try await fleet.submit(makeCSR("b.example.net", "a.example.net"), of: device, force: force)
        let newer = try await fleet.submit(makeCSR("a.example.net", "b.example.net"), of: device, force: force)
        for waiting in [first, newer] { #expect(waiting.state == .queued && waiting.dueAt == issuedAt + .seconds(600)) }
        try await bench.advance(by: .seconds(500), at: fleet)
        _ = try await fleet.change("limits.apply", to: "false")
        try await bench.settle(fleet)
        #expect(bench.client.calls(for: newer.id.rawValue) == 0)
        let shown = try await fleet.certificates(of: device, all: true).filter { [first.id, newer.id].contains($0.request) }
        #expect(shown.map(\.state) == [.superseded, .queued])
        #expect(shown.last?.text == "It waits for the pause between two certificates for the same names.")
        #expect(try await fleet.plan().turns.map(\.at) == [issuedAt + .seconds(600)])
        #expect(try await fleet.alarms(of: device).isEmpty)
        for (names, slot) in [(["a.example.net"], "names"), (["a.example.net", "b.example.net"], "key")] {
          let other = try await fleet.submit(SigningKey(.p256).signingRequest(for: names.map(dns)), of: device, slot: slot, force: force)
          _ = try await fleet.request(other.id, of: device, in: .ready)
        }
        try await bench.advance(by: .seconds(41), at: fleet)
        _ = try await fleet.request(newer.id, of: device, in: .ready)
        let renewed = try #require(try await fleet.renew(.init(request: newer.id), force: true).first)
        _ = try await fleet.request(renewed, of: device, in: .ready)
      }
    }
  }

  @Test("a CSR that waits for ten minutes to be over does so through a restart, and an administrator ends that")
  func floorEnded() async throws {
    try await onBench { bench in
      let first = try bench.fleet()
      let (device, waiting) = try await bench.working(first) {
        let enrolled = try await first.enrolled("1", makeCSR("a.example.net"))
        return (enrolled.device, try await first.submit(makeCSR("a.example.net"), of: enrolled.device).id)
      }
      let second = try bench.fleet()
      try await bench.working(second) {
        try await bench.settle(second)
        #expect(bench.client.calls(for: waiting.rawValue) == 0)
        await #expect { try await second.renew(.init(request: waiting), force: false) } throws: { ($0 as? Refusal)?.word == .rateLimited }
        #expect(try await second.renew(.init(request: waiting), force: true) == [waiting])
        _ = try await second.request(waiting, of: device, in: .ready)
      }
    }
  }

  @Test("a device that was never handed its certificate, and has lost the key, gets another one at once, but only once")
  func lostKey() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        for _ in 1...2 {
          let request = try await fleet.submit(makeCSR("a.example.net"), of: device)
          _ = try await fleet.request(request.id, of: device, in: .ready)
        }
        #expect(try await fleet.submit(makeCSR("a.example.net"), of: device).dueAt == bench.clock.wallClock.now() + .seconds(600))
      }
    }
  }

  @Test("a certificate that is to be replaced is replaced at once, however new it is")
  func demanded() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let enrolled = try await fleet.enrolled("1", makeCSR("a.example.net"))
        _ = try await fleet.begin(.init(reason: .forced))
        let request = try await fleet.submit(
          .init(csr: makeCSR("a.example.net").pem, replaces: enrolled.certificate.fingerprint), of: enrolled.device)
        _ = try await fleet.request(request.id, of: enrolled.device, in: .ready)
      }
    }
  }

  @Test("one request that may not be ordered any more does not keep the others of the device from being renewed")
  func partlyRefused() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        let (lost, kept) = (try makeCSR("a.example.net"), try makeCSR("b.example.net"))
        _ = try await fleet.request(fleet.submit(lost, of: device, slot: "a").id, of: device, in: .ready)
        _ = try await fleet.request(fleet.submit(kept, of: device, slot: "b").id, of: device, in: .ready)
        try await fleet.store.write {
          try $0.execute(sql: "INSERT INTO compromisedKey VALUES (?, 0)", arguments: [lost.keyPin.hex])
        }
        #expect(try await fleet.renew(.init(device: device), force: true).count == 1)
        #expect(try await fleet.eventCodes().contains("requestRefused"))
        await #expect { try await fleet.renew(.init(name: dns("a.example.net")), force: true) } throws: { ($0 as? Refusal)?.word == .newKeyRequired }
        #expect(try await fleet.eventCodes().last == "requestRefused", "what was refused is written down even if nothing else came of it")
      }
    }
  }
}

import FoundationEssentials
import GRDB
import PKI
import SchedulerAPI
import Testing

@testable import Scheduler

@Suite("What a device hands in")
struct HandingInTests {
  @Test("an accepted request is still there after a kill")
  func survives() async throws {
    try await onBench { bench in
      let csr = try makeCSR("a.example.net")
      let fleet = try bench.fleet()
      let device = try await fleet.device("1")
      let request = try await fleet.submit(csr, of: device)
      #expect(request.state == .queued)

      let next = try bench.fleet()
      #expect(try await next.device("1") == device)
      let found = try await next.resume(device, request: nil, csrHash: csr.hash, slot: nil)
      #expect(found == request)
    }
  }

  @Test("the same CSR sent five times at once is one request")
  func joined() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let device = try await fleet.device("1")
      let csr = try makeCSR("a.example.net")
      let ids = try await withThrowingTaskGroup(of: RequestID.self) { tasks in
        for _ in 0..<5 { tasks.addTask { try await fleet.submit(csr, of: device).id } }
        return try await tasks.reduce(into: Set()) { $0.insert($1) }
      }
      #expect(ids.count == 1)
    }
  }

  @Test("a newer CSR for the slot takes the place of the open one, another slot stands beside it")
  func superseded() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let device = try await fleet.device("1")
      let first = try await fleet.submit(makeCSR("a.example.net"), of: device)
      let second = try await fleet.submit(makeCSR("a.example.net"), of: device)
      let beside = try await fleet.submit(makeCSR("a.example.net"), of: device, slot: "phone")
      func state(_ id: RequestID) async throws -> RequestState { try await fleet.resume(device, request: id, csrHash: nil, slot: nil).state }
      #expect(try await state(first.id) == .superseded)
      #expect(try await state(second.id) == .queued)
      #expect(try await state(beside.id) == .queued)
    }
  }

  @Test("a device sees only its own requests, whatever it asks by")
  func foreign() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let csr = try makeCSR("a.example.net")
      let request = try await fleet.submit(csr, of: fleet.device("1"))
      let other = try await fleet.device("2")
      await #expect(throws: NotFound.self) { try await fleet.resume(other, request: request.id, csrHash: nil, slot: nil) }
      await #expect(throws: NotFound.self) { try await fleet.resume(other, request: nil, csrHash: csr.hash, slot: nil) }
      await #expect(throws: NotFound.self) { try await fleet.resume(other, request: nil, csrHash: nil, slot: "default") }
      await #expect(throws: NotFound.self) { try await fleet.confirm(csr.hash, for: request.id, of: other) }
    }
  }

  @Test("a second device that asks for a name in use waits until an administrator approves, and then the first one has to claim it")
  func approval() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let (first, second) = (try await fleet.device("1"), try await fleet.device("2"))
      let name = dns("a.example.net")
      let held = try await fleet.submit(makeCSR("a.example.net"), of: first)
      let waiting = try await fleet.submit(makeCSR("A.example.net.", "b.example.net"), of: second)
      #expect(waiting.state == .awaitingApproval)
      #expect(waiting.name == name)
      #expect(try await fleet.names().first { $0.name == name }?.claims.map(\.device) == [second])
      #expect(try await fleet.eventCodes().contains("nameClaimed"))

      let third = try await fleet.device("3")
      await #expect(throws: NotFound.self) { try await fleet.approve(name, for: third) }
      // The second time it is the device's already, and nothing more happens.
      for _ in 1...2 { try await fleet.approve(name, for: second) }
      #expect(try await fleet.eventCodes().count { $0 == "nameApproved" } == 1)
      #expect(try await fleet.resume(second, request: waiting.id, csrHash: nil, slot: nil).state == .queued)
      #expect(try await fleet.names().first { $0.name == name }?.device == second)
      // What the former holder has not ordered yet waits in turn, and so does all it asks for later.
      #expect(try await fleet.resume(first, request: held.id, csrHash: nil, slot: nil).state == .awaitingApproval)
      #expect(try await fleet.submit(makeCSR("a.example.net"), of: first).state == .awaitingApproval)
    }
  }

  @Test("a request that waits for two names goes on when it has both")
  func twoClaims() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let second = try await fleet.device("2")
      _ = try await fleet.submit(makeCSR("a.example.net", "b.example.net"), of: fleet.device("1"))
      let waiting = try await fleet.submit(makeCSR("a.example.net", "b.example.net"), of: second)
      try await fleet.approve(dns("a.example.net"), for: second)
      let between = try await fleet.resume(second, request: waiting.id, csrHash: nil, slot: nil)
      #expect(between.state == .awaitingApproval)
      #expect(between.name == dns("b.example.net"))
      try await fleet.approve(dns("b.example.net"), for: second)
      #expect(try await fleet.resume(second, request: waiting.id, csrHash: nil, slot: nil).state == .queued)
    }
  }

  @Test("a login of a domain gets only names below its suffixes")
  func suffixes() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let device = try await fleet.device("1", suffixes: [dns("tenant.example.net")])
      await #expect { try await fleet.submit(makeCSR("a.example.net"), of: device) } throws: { ($0 as? Refusal)?.word == .nameNotAllowed }
      #expect(try await fleet.submit(makeCSR("a.tenant.example.net"), of: device).state == .queued)
    }
  }

  @Test("nothing is accepted while there is no authority, and there is an event")
  func notConfigured() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet([:])
      let device = try await fleet.device("1")
      for _ in 0..<3 {
        await #expect { try await fleet.submit(makeCSR("a.example.net"), of: device) } throws: { ($0 as? Refusal)?.word == .notConfigured }
      }
      #expect(try await fleet.eventCodes() == ["requestRefused"], "what a device can repeat at will is written down once")
    }
  }

  @Test("a key that has become known is refused")
  func compromised() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let csr = try makeCSR("a.example.net")
      try await fleet.store.write {
        try $0.execute(sql: "INSERT INTO compromisedKey VALUES (?, 0)", arguments: [csr.keyPin.hex])
      }
      let device = try await fleet.device("1")
      await #expect { try await fleet.submit(csr, of: device) } throws: { ($0 as? Refusal)?.word == .newKeyRequired }
    }
  }

  @Test(
    "hostile texts are refused with the words of the protocol",
    arguments: [
      ("default", String(repeating: "A", count: 60_000), "badCsr"), ("default", "", "badCsr"), ("", "x", "badMessage"),
      (String(repeating: "s", count: 65), "x", "badMessage"), ("a b", "x", "badMessage"),
    ])
  func hostile(slot: String, csr: String, word: String) async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let device = try await fleet.device("1")
      await #expect { try await fleet.submit(.init(csr: csr, slot: slot), of: device) } throws: { ($0 as? Refusal)?.word.rawValue == word }
    }
  }

  @Test("a device nobody knows can hand nothing in")
  func unknownDevice() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      await #expect(throws: NotFound.self) { try await fleet.submit(makeCSR("a.example.net"), of: DeviceID(rawValue: "nobody")) }
    }
  }

  @Test("a device that hands in one CSR after the other does not fill the disk")
  func flood() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let device = try await fleet.device("1")
      for _ in 0..<110 { _ = try await fleet.submit(makeCSR("a.example.net"), of: device) }
      #expect(try await fleet.certificates(of: device, all: true).count == 101)
    }
  }

  @Test("who only logged in is not shown, and forgotten at the next start; who described itself stays")
  func sweep() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      _ = try await fleet.device("login")
      let described = try await fleet.register(
        DeviceIdentity(scope: "instance", sip: "2"), description: DeviceDescription(name: "Lobby", roles: [], dnsNames: [], certificates: []))
      #expect(try await fleet.devices().map(\.id) == [described])
      try await fleet.sweep()
      let count = try await fleet.store.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM device") }
      #expect(count == 1)
    }
  }

  @Test("a device may tell long texts about itself: they are cut; lists that no device has are refused")
  func boundless() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let identity = DeviceIdentity(scope: "instance", sip: "1")
      let long = String(repeating: "x", count: 10_000)
      _ = try await fleet.register(
        identity, description: DeviceDescription(product: "a\nb", name: long, roles: [long], dnsNames: [], certificates: []))
      let device = try #require(try await fleet.devices().first)
      #expect(device.name?.count == 128)
      #expect(device.product == "a b")
      #expect(device.roles.map(\.count) == [128])
      let endless = DeviceDescription(roles: Array(repeating: "pbx", count: 17), dnsNames: [], certificates: [])
      await #expect(throws: Refusal.self) { try await fleet.register(identity, description: endless) }
    }
  }

  @Test("a device that is refused with ever new names does not crowd out the events of the others")
  func refusals() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let device = try await fleet.device("1", suffixes: [dns("tenant.example.net")])
      for number in 0..<100 {
        await #expect(throws: Refusal.self) { try await fleet.submit(makeCSR("h\(number).example.net"), of: device) }
      }
      let refused = try await fleet.events(after: 0, limit: 1_000, of: device).filter { $0.code == "requestRefused" }
      #expect(refused.count == 30)
      #expect(refused.last?.text.hasSuffix("More of this kind within the hour are not written down.") == true)
      bench.clock.advance(by: .seconds(3_601))
      await #expect(throws: Refusal.self) { try await fleet.submit(makeCSR("later.example.net"), of: device) }
      #expect(try await fleet.events(after: 0, limit: 1_000, of: device).last?.text.contains("later.example.net") == true)
    }
  }

  @Test("a device has 32 slots, and goes on with those when it asks for one more")
  func slots() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let device = try await fleet.device("1")
      for number in 0..<32 { _ = try await fleet.submit(makeCSR("a.example.net"), of: device, slot: "\(number)") }
      await #expect { try await fleet.submit(makeCSR("a.example.net"), of: device, slot: "32") } throws: { ($0 as? Refusal)?.word == .notAllowed }
      #expect(try await fleet.submit(makeCSR("a.example.net"), of: device, slot: "31").state == .queued)
    }
  }

  @Test("an equal CSR joins the request of its slot, however many other slots have the same")
  func manySlots() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let device = try await fleet.device("1")
      let csr = try makeCSR("a.example.net")
      let first = try await fleet.submit(csr, of: device, slot: "0")
      for number in 1...25 { _ = try await fleet.submit(csr, of: device, slot: "\(number)") }
      #expect(try await fleet.submit(csr, of: device, slot: "0").id == first.id)
    }
  }

  @Test("a pause that a wrong clock has set ends as late as the longest one")
  func wrongClock() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      _ = try await fleet.submit(makeCSR("a.example.net"), of: fleet.device("1"))
      try await fleet.store.write {
        try $0.execute(sql: "UPDATE request SET nextAttempt = ?", arguments: [(bench.clock.wallClock.now() + .days(10_000)).milliseconds])
      }
      try await fleet.sweep()
      let next = try #require(try await fleet.store.read { try RequestRecord.nextMoment(after: .earliest, from: $0) })
      #expect(next <= bench.clock.wallClock.now() + .days(31))
    }
  }

  @Test("a changed setting acts at once, is stored, and devices are told")
  func settings() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      var changes = fleet.watched.changes.open().makeAsyncIterator()
      let setting = try await fleet.change("devices.renewDays", to: " 20 ")
      #expect(setting.value == "20")
      #expect(try await changes.next()?.settings?.renewDays == 20)
      #expect(try bench.fleet().settings.current.devices.renewDays == 20)
      #expect(try await fleet.change("devices.renewDays", to: nil).source == .standard)
      #expect(try await fleet.eventCodes() == ["settingChanged", "settingChanged"])
    }
  }

  @Test("the URI of the account's key, which may hold a PIN, stands in no event")
  func keyURI() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      _ = try await fleet.change("authority.accountKey", to: "pkcs11:object=account?pin-value=1234")
      #expect(try await fleet.events(after: 0, limit: 10, of: nil).map(\.text) == ["authority.accountKey was set to another URI."])
    }
  }
}

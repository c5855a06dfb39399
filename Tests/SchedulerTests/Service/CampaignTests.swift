import ACMEClientAPI
import GRDB
import PKI
import SchedulerAPI
import Synchronization
import Testing

@testable import Scheduler

@Suite("Campaigns")
struct CampaignTests {
  /// Devices with installed certificates for `d1.example.net` and so on; the last one's ends first.
  private func enrolled(_ count: Int, _ fleet: Fleet, _ bench: Bench) async throws -> [Enrolled] {
    var devices: [Enrolled] = []
    for number in 1...count {
      bench.client.set(.issue(days: 91 - number))
      devices.append(try await fleet.enrolled("\(number)", makeCSR("d\(number).example.net")))
    }
    bench.client.set(.issue())
    return devices
  }

  /// The wishes of so many devices.
  private func wishes(_ count: Int, _ changes: inout AsyncThrowingStream<Watched.Change, any Error>.Iterator) async throws -> [DeviceID: RenewalWish]
  {
    var wishes: [DeviceID: RenewalWish] = [:]
    while wishes.count < count, let change = try await changes.next() {
      if let renewal = change.renewal, let device = change.device { wishes[device] = renewal }
    }
    return wishes
  }

  private func renew(_ device: Enrolled, in fleet: Fleet, force: Bool = false) async throws {
    let request = try await fleet.submit(
      .init(csr: SigningKey(.p256).signingRequest(for: device.csr.names).pem, replaces: device.certificate.fingerprint, force: force),
      of: device.device)
    _ = try await fleet.request(request.id, of: device.device, in: .ready)
  }

  @Test("a CSR that a device had handed in by itself stays in the queue when a campaign ends")
  func ownWish() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet([
        "ACME_CONNECTOR_AUTHORITY_DIRECTORY": "https://acme.test/directory", "ACME_CONNECTOR_LIMITS_APPLY": "true",
        "ACME_CONNECTOR_LIMITS_CERTIFICATES_PER_DOMAIN": "3",
      ])
      try await bench.working(fleet) {
        let device = try await enrolled(3, fleet, bench)[0].device
        let wish = try await fleet.submit(makeCSR("other.example.net"), of: device)
        try await bench.settle(fleet)
        let waiting = try await fleet.resume(device, request: wish.id, csrHash: nil, slot: nil).dueAt
        #expect(waiting != nil)
        try await bench.advance(by: .seconds(1), at: fleet)
        let campaign = try await fleet.begin(.init(reason: .forced, device: device)).campaign
        #expect(try await fleet.end(campaign.id).returned == 1)
        let kept = try await fleet.resume(device, request: wish.id, csrHash: nil, slot: nil)
        #expect(kept.state == .queued && kept.dueAt == waiting)
      }
    }
  }

  @Test(
    "all devices are asked, told why and until when; how far it is can be seen, through a restart; when all are renewed it is over, and told once")
  func forced() async throws {
    try await onBench { bench in
      let first = try bench.fleet()
      let deadline = bench.clock.wallClock.now() + .days(1)
      let devices = try await bench.working(first) {
        let devices = try await enrolled(3, first, bench)
        var changes = first.watched.changes.open().makeAsyncIterator()
        let begun = try await first.begin(.init(reason: .forced, deadline: deadline))
        #expect(begun.campaign.total == 3 && begun.warnings.isEmpty)
        let again = try await first.begin(.init(reason: .forced, deadline: deadline))
        #expect(again.campaign.id == begun.campaign.id, "a call may come twice")
        let wishes = try await wishes(3, &changes)
        #expect(wishes.values.allSatisfy { $0.reason == .forced && !$0.newKey && $0.deadline == deadline })
        try await renew(devices[0], in: first, force: true)
        return devices
      }
      let second = try bench.fleet()
      try await bench.working(second) {
        let campaign = try #require(try await second.campaigns().first)
        #expect(campaign.total == 3 && campaign.asked == 2 && campaign.waiting == 0 && campaign.ordered == 0 && campaign.endedAt == nil)
        for device in devices.dropFirst() { try await renew(device, in: second) }
        try await bench.eventually { try await second.campaigns().first?.endedAt != nil }
        let codes = try await second.eventCodes()
        #expect(codes.filter { $0 == "campaignBegan" }.count == 1 && codes.filter { $0 == "campaignEnded" }.count == 1)
        #expect(!codes.contains("renewalDue"), "one event, and not one for each")
      }
    }
  }

  @Test("only the devices that are meant: one, those of a scope, those with names below a suffix")
  func selection() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let devices = try await enrolled(3, fleet, bench)
        func total(_ selection: Fleet.CampaignSelection) async throws -> Int { try await fleet.begin(selection).campaign.total }
        #expect(try await total(.init(reason: .forced, device: devices[0].device)) == 1)
        await #expect(throws: NotFound.self) { try await fleet.begin(.init(reason: .authorityChanged)) }
        #expect(try await total(.init(reason: .forced, suffix: dns("d2.example.net"))) == 1)
        #expect(try await total(.init(reason: .revoked, scope: "instance", suffix: dns("example.net"))) == 3, "a graver reason takes all")
        try await bench.eventually { try await fleet.campaigns().filter { $0.endedAt != nil }.map(\.total) == [0, 0] }
        _ = try await fleet.retire(devices[2].device)
        #expect(try await fleet.campaigns().first?.total == 2)
        await #expect(throws: NotFound.self) { try await fleet.begin(.init(reason: .forced, suffix: dns("xample.net"))) }
        await #expect(throws: NotFound(what: "certificate", which: "that a campaign (forced) for the scope domain:other would renew")) {
          try await fleet.begin(.init(reason: .forced, scope: "domain:other"))
        }
        await #expect(throws: NotFound(what: "device", which: "nobody")) {
          try await fleet.begin(.init(reason: .forced, device: DeviceID(rawValue: "nobody")))
        }
        await #expect(throws: Refusal.self) { try await fleet.begin(.init(reason: .due)) }
      }
    }
  }

  @Test("another CA's limits spread it, what ends first comes first, and what cannot be done by the deadline is said at the beginning")
  func spread() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet([:])
      _ = try await fleet.change("authority.directory", to: "https://acme.test/directory")
      try await bench.working(fleet) {
        let devices = try await enrolled(6, fleet, bench)
        await #expect(throws: NotFound.self) { try await fleet.begin(.init(reason: .authorityChanged)) }
        _ = try await fleet.change("authority.directory", to: "https://other.test/directory")
        _ = try await fleet.change("limits.certificatesPerDomain", to: "5")
        _ = try await fleet.change("limits.apply", to: "true")
        let now = bench.clock.wallClock.now()
        let begun = try await fleet.begin(.init(reason: .authorityChanged, deadline: now + .days(2)))
        // Two of five are kept for emergencies, and one grows back in 33.6 hours.
        let warning = try #require(begun.warnings.first)
        #expect(warning.hasPrefix("2 of 6 ") && warning.contains("the CA's limit on certificates for example.net"))
        let codes = try await fleet.eventCodes()
        #expect(codes.contains("campaignLate"))
        let turns = try await fleet.store.read { database in
          try devices.map { try #require(try RenewalRecord.of($0.device, from: database).first?.demand?.from) }
        }
        #expect(turns == turns.sorted(by: >), "the last one's certificate ends first")
        #expect(turns.filter { $0 <= now }.count == 3)
        #expect(begun.campaign.expectedAt == turns.max())
      }
    }
  }

  @Test("those that wait for the same limit already have their turns, too: what is said at the beginning is what the plan says afterwards")
  func besides() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet([
        "ACME_CONNECTOR_AUTHORITY_DIRECTORY": "https://acme.test/directory", "ACME_CONNECTOR_LIMITS_CERTIFICATES_PER_DOMAIN": "4",
      ])
      try await bench.working(fleet) {
        let devices = try await enrolled(1, fleet, bench)
        _ = try await fleet.change("limits.apply", to: "true")
        for number in 1...9 { _ = try await fleet.submit(makeCSR("new\(number).example.net"), of: fleet.device("new \(number)")) }
        try await bench.settle(fleet)
        let last = try #require(try await fleet.certificates(of: nil, all: false).filter { $0.state == .queued }.compactMap(\.dueAt).max())
        // It is of another CA, so its successor counts for the domain.
        try await fleet.store.write { database in
          try database.execute(
            sql: "UPDATE certificate SET authority = 'https://other.test/directory' WHERE request = ?", arguments: [devices[0].request.rawValue])
        }
        let begun = try await fleet.begin(.init(reason: .authorityChanged))
        let expected = try #require(begun.campaign.expectedAt)
        #expect(expected > last, "a certificate that lasts for months is behind those that miss theirs")
        #expect(try await fleet.plan().turns.map(\.at).contains(expected))
      }
    }
  }

  @Test("one that was a mistake is ended: what is not ordered waits for its own time, be its device asked or its CSR here; what is ordered goes on")
  func ended() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let devices = try await enrolled(3, fleet, bench)
        let due = try await fleet.certificates(of: nil, all: false).map(\.dueAt)
        var changes = fleet.watched.changes.open().makeAsyncIterator()
        let begun = try await fleet.begin(.init(reason: .forced)).campaign
        _ = try await wishes(3, &changes)
        // The first is renewed, the second's CSR waits for its turn behind an order that does not end, the third has not answered.
        try await renew(devices[0], in: fleet)
        _ = try await fleet.change("orders.concurrent", to: "1")
        bench.client.set(.stall, for: dns("busy.example.net"))
        let busy = try await fleet.submit(makeCSR("busy.example.net"), of: fleet.device("busy"))
        try await bench.eventually { bench.client.calls(for: busy.id.rawValue) == 1 }
        let waiting = try await fleet.submit(
          .init(csr: makeCSR("d2.example.net").pem, replaces: devices[1].certificate.fingerprint), of: devices[1].device)
        #expect(waiting.state == .queued)

        let ended = try await fleet.end(begun.id)
        #expect(ended.returned == 2 && ended.campaign.endedAt != nil && ended.campaign.total == 1)
        let kept = try await fleet.resume(devices[1].device, request: waiting.id, csrHash: nil, slot: nil)
        #expect(kept.state == .notDue && kept.dueAt == due[1])
        #expect(try await fleet.certificates(of: devices[2].device, all: false).map(\.dueAt) == [due[2]])
        #expect(try await fleet.end(begun.id).returned == 0, "a call may come twice")
        #expect(try await fleet.eventCodes().filter { $0 == "campaignEnded" }.count == 1)
        await #expect(throws: NotFound(what: "campaign", which: "99")) { try await fleet.end(99) }
      }
    }
  }

  /// The first renewal of the fleet, so many times, each of a device of its own.
  private func multiply(to count: Int, _ fleet: Fleet) async throws {
    try await fleet.store.write { database in
      let keys = ["device": "id", "request": "id", "certificate": "request", "renewal": "request"]
      for table in keys.keys { try database.execute(sql: "CREATE TEMP TABLE one_\(table) AS SELECT * FROM \(table)") }
      for number in 2...count {
        let copy = "copy \(number)"
        try database.execute(sql: "UPDATE one_device SET key = ?", arguments: [copy])
        try database.execute(sql: "UPDATE one_request SET number = ?, device = ?, isHeldByClient = 0", arguments: [number, copy])
        try database.execute(sql: "UPDATE one_renewal SET device = ?", arguments: [copy])
        for table in ["device", "request", "certificate", "renewal"] {
          try database.execute(sql: "UPDATE one_\(table) SET \(keys[table] ?? "") = ?", arguments: [copy])
          try database.execute(sql: "INSERT INTO \(table) SELECT * FROM one_\(table)")
        }
      }
    }
  }

  @Test("one of very many begins and ends a portion at a time; a process that dies in between leaves it to the next, and it is whole")
  func portions() async throws {
    try await onBench { bench in
      let first = try bench.fleet()
      try await bench.working(first) {
        _ = try await enrolled(1, first, bench)
        try await bench.settle(first)
      }
      try await multiply(to: 1_500, first)

      // This one dies after its first portion.
      let dying = Task {
        let began = try await first.begin(.init(reason: .forced))
        return began.campaign
      }
      try await bench.eventually { try await first.campaigns().first.map { $0.total >= 1_000 } ?? false }
      let between = try #require(try await first.campaigns().first)
      #expect(between.total < 1_500 && between.expectedAt == nil, "others see it while it begins")
      #expect(try await dying.value.total == 1_500)

      // What such a process leaves behind, which died before the last portion.
      try await first.store.write { database in
        try database.execute(
          sql:
            "UPDATE renewal SET campaign = NULL, demandReason = NULL, demandFrom = NULL, dueAt = notAfter WHERE request > (SELECT request FROM renewal ORDER BY request LIMIT 1 OFFSET 999)"
        )
        try database.execute(sql: "UPDATE campaign SET total = 1000, expectedAt = NULL")
      }
      let second = try bench.fleet()
      try await bench.working(second) {
        try await bench.eventually { try await second.campaigns().first?.expectedAt != nil }
        #expect(try await second.campaigns().map(\.total) == [1_500])
        let ended = try await second.end(between.id)
        #expect(ended.returned == 1_500 && ended.campaign.total == 0 && ended.campaign.endedAt != nil)
        #expect(try await second.eventCodes().filter { $0.hasPrefix("campaign") } == ["campaignBegan", "campaignEnded"])
      }
    }
  }

  @Test("after a compromise of many keys only new ones are taken")
  func compromised() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let devices = try await enrolled(2, fleet, bench)
        var changes = fleet.watched.changes.open().makeAsyncIterator()
        _ = try await fleet.begin(.init(reason: .keyCompromise))
        let wishes = try await wishes(2, &changes)
        #expect(wishes.values.allSatisfy { $0.reason == .keyCompromise && $0.newKey })
        for device in devices {
          await #expect { try await fleet.submit(device.csr, of: device.device) } throws: { ($0 as? Refusal)?.word == .newKeyRequired }
          try await renew(device, in: fleet)
        }
        try await bench.eventually { try await fleet.campaigns().first?.endedAt != nil }
      }
    }
  }

  @Test("what is not renewed by the deadline is told once, and the campaign goes on")
  func late() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let devices = try await enrolled(2, fleet, bench)
        let begun = try await fleet.begin(.init(reason: .forced, deadline: bench.clock.wallClock.now() + .days(1)))
        #expect(begun.warnings.isEmpty)
        try await renew(devices[0], in: fleet)
        try await bench.advance(by: .seconds(3_600), at: fleet) { try await fleet.eventCodes().contains("campaignLate") }
        let texts = try await fleet.events(after: 0, limit: 1_000, of: nil).filter { $0.code == "campaignLate" }.map(\.text)
        #expect(texts.count == 1 && texts[0].hasPrefix("1 of 2 certificates"))
        try await renew(devices[1], in: fleet)
        try await bench.eventually { try await fleet.campaigns().first?.endedAt != nil }
      }
    }
  }

  @Test("when the CA wants many replaced, that is one campaign also where each is renewed before it is heard of the next")
  func automaticOneByOne() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let devices = try await enrolled(7, fleet, bench)
        // Not so soon after its own issue that it would be held back.
        try await bench.advance(by: .seconds(3_600), at: fleet)
        let now = bench.clock.wallClock.now()
        for device in devices {
          try await fleet.transact { transaction in
            try transaction.take(.window(start: now - .seconds(1_800), end: now, explanation: nil, retryAfter: .days(1)), for: device.request)
          }
          try await renew(device, in: fleet)
        }
        try await bench.settle(fleet)
        let campaigns = try await fleet.campaigns()
        #expect(campaigns.map(\.total) == [3] && campaigns[0].endedAt == nil)
        #expect(try await fleet.eventCodes().filter { $0 == "renewalPressing" }.count == 4)
        try await bench.advance(by: .days(1), at: fleet)
        #expect(try await fleet.campaigns().map { $0.endedAt != nil } == [true])
        #expect(try await fleet.eventCodes().filter { $0.hasPrefix("campaign") } == ["campaignBegan", "campaignEnded"])
      }
    }
  }

  @Test("when the CA wants many replaced at once, that is one campaign that begins by itself, and not an event for each")
  func automatic() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let devices = try await enrolled(12, fleet, bench)
        try await bench.eventually {
          let now = bench.clock.wallClock.now()
          return try await fleet.store.read { database in try RenewalRecord.toPoll(100, at: now, from: database).isEmpty }
        }
        var changes = fleet.watched.changes.open().makeAsyncIterator()
        let now = bench.clock.wallClock.now()
        let info = ACMEClient.GetRenewalInfo.Reply(
          supported: true, start: now, end: now + .seconds(1_800), explanation: "https://acme.test/incident", retryAfter: 21_600)
        bench.client.state.withLock { $0.renewalInfo = .success(info) }
        bench.clock.advance(by: .days(1))
        let wishes = try await wishes(devices.count, &changes)
        #expect(wishes.values.allSatisfy { $0.reason == .revoked })
        try await bench.eventually { try await fleet.campaigns().first?.total == devices.count }
        let campaigns = try await fleet.campaigns()
        await #expect(throws: Refusal.self) { try await fleet.end(campaigns[0].id) }
        #expect(campaigns.count == 1 && campaigns[0].automatic && campaigns[0].explanation == "https://acme.test/incident")
        let codes = try await fleet.eventCodes()
        for (code, most) in [("campaignBegan", 1), ("renewalPressing", 4), ("renewalExplained", 5), ("renewalDue", 4)] {
          #expect(codes.filter { $0 == code }.count <= most, "\(code)")
        }
      }
    }
  }
}

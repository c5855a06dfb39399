import GRDB
import PKI
import SchedulerAPI
import Testing

@testable import Scheduler

/// A small fleet at a scheduler with its real store, through half a year in which certificates live ever shorter.
@Suite("Half a year")
struct HalfYearTests {
  /// How a device behaves.
  enum Manner: Hashable, CaseIterable {
    /// It is always there, and hands in a CSR with a new key when it is asked.
    case diligent
    /// It is always there, and understands no wish.
    case deaf
    /// It comes once a week, and is diligent then.
    case rare
    /// It never comes; an administrator has handed in its CSR.
    case offline
  }

  private struct Device {
    let manner: Manner
    let id: DeviceID
    let name: DNSName

    func isThere(on day: Int64) -> Bool {
      switch manner {
      case .diligent, .deaf: true
      case .rare: day % 7 == 0
      case .offline: false
      }
    }
  }

  /// So many days with certificates of so many days, looked at in steps of so many hours.
  private static let seasons: [(days: Int, lifetime: Int, step: Int)] = [(100, 60, 24), (50, 30, 24), (30, 6, 6)]

  /// How many certificates it takes when each is renewed as soon as it is due: after two thirds of its lifetime, or half of a short one.
  private static var issuesInTime: Int {
    var (day, issues) = (0, 0)
    while day < seasons.map(\.days).reduce(0, +) {
      let season = seasons.indices.first { day <= seasons[...$0].map(\.days).reduce(0, +) } ?? 0
      let lifetime = seasons[season].lifetime
      day += lifetime < 10 ? lifetime / 2 : lifetime * 2 / 3
      issues += 1
    }
    return issues
  }

  @Test("no certificate of a device that comes often enough ends, none is ordered more often than it must be, and no alarm is left")
  func halfYear() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await bench.working(fleet) {
        let start = bench.clock.wallClock.now()
        var told = fleet.watched.changes.open().makeAsyncIterator()
        bench.client.set(.issue(days: Self.seasons[0].lifetime))
        let devices = try await enrol(Manner.allCases, at: fleet)
        for season in Self.seasons {
          bench.client.set(.issue(days: season.lifetime))
          for step in 1...(season.days * 24 / season.step) {
            try await bench.advance(by: .seconds(3_600 * season.step), at: fleet)
            let day = (bench.clock.wallClock.now() - start).components.seconds / 86_400
            // A device that comes weekly is no match for a lifetime of six days.
            let present = devices.filter { $0.isThere(on: day) }
            for device in present where device.manner == .rare && step % (24 / season.step) == 0 { try await come(device, at: fleet) }
            try await settle(&told, present, at: fleet, bench)
            for device in devices where device.manner != .rare || season.lifetime > 6 { try await requireValid(device, at: fleet) }
          }
        }
        for (device, issues) in try await issues(of: devices, from: fleet) {
          if device.manner == .rare { continue }
          // One that does not answer is waited for, and served with the next step of the clock: in half a year that makes three certificates less.
          let least = Self.issuesInTime - (device.manner == .deaf ? 3 : 0)
          #expect((least...Self.issuesInTime).contains(issues), "\(device.manner): \(issues)")
        }
        // A clock that goes by half days makes the scheduler late.
        let standing = try await fleet.alarms(of: nil).filter { alarm in
          alarm.code != .schedulerLate && devices.first { $0.id == alarm.device }?.manner != .rare
        }
        #expect(standing.isEmpty)
      }
    }
  }

  private func enrol(_ manners: [Manner], at fleet: Fleet) async throws -> [Device] {
    var devices: [Device] = []
    for manner in manners {
      let name = dns("\(manner).example.net")
      let id = try await manner == .offline ? fleet.register(administratorsName: "offline") : fleet.device("\(manner)")
      let request = try await fleet.submit(
        .init(csr: SigningKey(.p256).signingRequest(for: [name]).pem, isByAdministrator: manner == .offline), of: id)
      _ = try await fleet.request(request.id, of: id, in: .ready, .installed)
      devices.append(Device(manner: manner, id: id, name: name))
    }
    return devices
  }

  private func come(_ device: Device, at fleet: Fleet) async throws { _ = try await fleet.device("\(device.manner)") }

  /// Lets the devices do what they are told to until nobody is told anything more.
  private func settle(
    _ told: inout AsyncThrowingStream<Watched.Change, any Error>.Iterator, _ present: [Device], at fleet: Fleet, _ bench: Bench
  ) async throws {
    var isNews = true
    while isNews {
      try await bench.settle(fleet)
      isNews = false
      // All that is told by now stands before this mark.
      let mark = DeviceID(rawValue: "mark")
      fleet.watched.changes.publish(.init(device: mark))
      while let change = try await told.next(), change.device != mark {
        isNews = true
        guard let device = present.first(where: { $0.id == change.device }) else { continue }
        try await obey(change, device, at: fleet, now: bench.clock.wallClock.now())
      }
    }
  }

  private func obey(_ change: Watched.Change, _ device: Device, at fleet: Fleet, now: Instant) async throws {
    if let wish = change.renewal {
      try await fleet.noteAnswer(.told, slot: wish.slot, of: device.id)
      guard device.manner != .deaf else { return }
      let csr = try SigningKey(.p256).signingRequest(for: wish.names)
      _ = try await fleet.submit(.init(csr: csr.pem, replaces: wish.fingerprint), of: device.id)
    } else if let request = change.request, request.state == .ready, let certificate = request.certificate, certificate.installAt <= now {
      let current = try await fleet.resume(device.id, request: request.id, csrHash: nil, slot: nil)
      if current.state == .ready { try await fleet.confirm(certificate.fingerprint, for: request.id, of: device.id) }
    }
  }

  private func requireValid(_ device: Device, at fleet: Fleet) async throws {
    let certificates = try await fleet.certificates(of: device.id, all: false)
    let inUse = certificates.first { $0.state == .installed } ?? certificates.first { $0.state == .ready }
    let end = try #require(inUse?.notAfter, "\(device.manner) has none")
    try #require(end > fleet.clock.now(), "\(device.manner) has one that ended")
  }

  private func issues(of devices: [Device], from fleet: Fleet) async throws -> [(Device, Int)] {
    try await fleet.store.read { database in
      try devices.map { device in
        let sql = "SELECT count(*) FROM certificate JOIN request ON request.id = certificate.request WHERE device = ?"
        return (device, try Int.fetchOne(database, sql: sql, arguments: [device.id.rawValue]) ?? 0)
      }
    }
  }
}

import GRDB
import PKI
import SchedulerAPI
import Synchronization
import Testing
import Varlink

@testable import Scheduler

@Suite("The administrator's lists of a large fleet, over a real socket")
struct ListTests {
  private static let count = 5_000

  /// A fleet with as many devices, each with a name, a request, an event and an alarm of its own.
  private func onLargeFleet(_ body: @escaping @Sendable (VarlinkClient) async throws -> Void) async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let csr = try makeCSR("d0.example.net")
      try await fleet.transact { transaction in
        for number in 0..<Self.count {
          let id = DeviceID(rawValue: "id\(number)")
          var device = DeviceRecord(
            try DeviceKey(DeviceIdentity(scope: "instance", hardwareID: "key\(number)")), id: id, now: transaction.now)
          device.isKnown = true
          device.description = DeviceDescription(name: "device \(number)", roles: [], dnsNames: [], certificates: [])
          try device.insert(transaction.database)
          try NameRecord(name: dns("d\(number).example.net"), device: id, since: transaction.now).insert(transaction.database)
          _ = try RequestRecord(
            id: RequestID(rawValue: "request\(number)"), device: id, slot: "default", csr: csr, isForced: false, replaces: nil,
            authority: "https://acme.test/directory", machine: RequestMachine(awaiting: nil), trace: transaction.trace, now: transaction.now
          ).inserted(transaction.database)
          try transaction.record(Event(.deviceFirstSeen, String(repeating: "x", count: 100) + "\(number)", device: id))
          let alarm = Alarm(code: .certificateFailed, severity: .minor, text: String(repeating: "x", count: 500))
          _ = try AlarmRecord(alarm, device: id, slot: "default", since: transaction.now, tellAt: nil).inserted(transaction.database)
        }
      }
      let path = bench.path("admin.sock")
      let admin = AdminInterface(
        fleet: fleet, client: VarlinkClient(path: bench.path("acme-client.sock")), startedAt: bench.clock.wallClock.now())
      try await bench.serving(admin.handlers, at: path) { try await body(VarlinkClient(path: path)) }
    }
  }

  @Test("are whole")
  func whole() async throws {
    try await onLargeFleet { admin in
      let numbers = 0..<Self.count
      #expect(try await admin.list(AdminMethods.ListDevices.self, .init()).devices.map(\.id.rawValue) == numbers.map { "id\($0)" }.sorted())
      #expect(try await admin.list(AdminMethods.ListNames.self, .init()).names.map(\.name.value) == numbers.map { "d\($0).example.net" }.sorted())
      let certificates = try await admin.list(AdminMethods.ListCertificates.self, .init(all: false)).certificates
      #expect(certificates.map(\.request.rawValue) == numbers.map { "request\($0)" })
      #expect(try await admin.list(AdminMethods.ListEvents.self, .init(after: 0)).events.map(\.id) == numbers.map { $0 + 1 })
      #expect(try await admin.list(AdminMethods.ListAlarms.self, .init()).alarms.map(\.device?.rawValue) == numbers.map { "id\($0)" })
    }
  }

  @Test("begin with the newest events that are asked for, or go on from one in order until none is left")
  func events() async throws {
    try await onLargeFleet { admin in
      let newest = try await admin.call(AdminMethods.ListEvents.self, .init(limit: 3))
      #expect(newest.events.map(\.id) == [4_998, 4_999, 5_000] && newest.next == nil)
      #expect(try await admin.call(AdminMethods.ListEvents.self, .init()).events.count == 100)
      #expect(try await admin.list(AdminMethods.ListEvents.self, .init(limit: 1_500)).events.map(\.id) == Array(3_501...5_000))
      #expect(try await admin.list(AdminMethods.ListEvents.self, .init(limit: 9_999)).events.count == 5_000)
      await #expect(throws: AdminMethods.Refused.self) { try await admin.call(AdminMethods.ListEvents.self, .init(limit: 0)) }

      let (parts, part) = AsyncStream.makeStream(of: [Int].self)
      await withThrowingTaskGroup(of: Void.self) { tasks in
        defer { tasks.cancelAll() }
        tasks.addTask { _ = try await admin.stream(AdminMethods.ListEvents.self, .init(after: 4_000)) { part.yield($0.events.map(\.id)) } }
        var ids: [Int] = []
        for await part in parts {
          ids += part
          if ids.count >= 1_000 { break }
        }
        #expect(ids == Array(4_001...5_000))
      }
    }
  }

  @Test("come with `more` in parts that a message holds")
  func parts() async throws {
    try await onLargeFleet { admin in
      let names = Mutex<[DNSName]>([])
      let last = try await admin.stream(AdminMethods.ListNames.self, .init()) { part in
        #expect(part.names.count == 200)
        names.withLock { $0 += part.names.map(\.name) }
      }
      #expect(names.withLock(\.count) + last.names.count == Self.count)
      #expect(last.next == nil)
    }
  }

  @Test("need not be read to find one device or one name")
  func one() async throws {
    try await onLargeFleet { admin in
      for reference in ["id4711", "key4711", "device 4711"] {
        let found = try await admin.call(AdminMethods.ListDevices.self, .init(called: reference))
        #expect(found.devices.map(\.id.rawValue) == ["id4711"] && found.next == nil)
      }
      #expect(try await admin.call(AdminMethods.ListDevices.self, .init(called: "nobody")).devices.isEmpty)
      let names = try await admin.call(AdminMethods.ListNames.self, .init(name: dns("d4711.example.net"))).names
      #expect(names.map(\.device.rawValue) == ["id4711"])
      let own = try await admin.call(AdminMethods.ListNames.self, .init(device: DeviceID(rawValue: "id4711"))).names
      #expect(own == names)
    }
  }

  @Test("show of a device with very many names the first ones, and of a name that very many want those who wait longest")
  func bounded() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let device = try await fleet.device("1")
      for first in stride(from: 0, to: 300, by: 100) {
        let csr = try SigningKey(.p256).signingRequest(for: (first..<first + 100).map { dns("n\(1000 + $0).example.net") })
        _ = try await fleet.submit(csr, of: device, slot: "\(first)")
      }
      let view = try #require(try await fleet.devices().first)
      #expect(view.nameCount == 300)
      #expect(view.names.map(\.value) == (0..<100).map { "n\(1000 + $0).example.net" })
      for number in 0..<101 { _ = try await fleet.submit(makeCSR("n1000.example.net"), of: fleet.device("other\(number)")) }
      #expect(try await fleet.names(dns("n1000.example.net")).first?.claims.count == 100)
    }
  }
}

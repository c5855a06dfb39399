import ACMEClientAPI
import Glibc
import PKI
import SchedulerAPI
import Synchronization
import Telemetry
import Testing
import Varlink

@testable import Scheduler

@Suite("The interfaces, over real sockets")
struct InterfaceTests {
  private struct Served {
    let scheduler: VarlinkClient
    let admin: VarlinkClient
  }

  private func serving(_ bench: Bench, _ fleet: Fleet, _ body: @escaping @Sendable (Served) async throws -> Void) async throws {
    let (device, admin) = (bench.path("scheduler.sock"), bench.path("admin.sock"))
    try await bench.working(fleet) {
      try await bench.serving(SchedulerInterface(fleet: fleet).handlers, at: device) {
        try await bench.serving(
          AdminInterface(
            fleet: fleet, client: VarlinkClient(path: bench.path("acme-client.sock")), startedAt: bench.clock.wallClock.now()
          ).handlers, at: admin
        ) {
          try await body(Served(scheduler: VarlinkClient(path: device), admin: VarlinkClient(path: admin)))
        }
      }
    }
  }

  @Test("a device registers, hands in a CSR, and its certificate comes by Watch")
  func device() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await serving(bench, fleet) { served in
        typealias Methods = SchedulerMethods
        let (items, item) = AsyncStream.makeStream(of: Methods.Watch.Reply.self)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
          defer { tasks.cancelAll() }
          tasks.addTask { _ = try await served.scheduler.stream(Methods.Watch.self, .init()) { item.yield($0) } }
          var iterator = items.makeAsyncIterator()
          #expect(await iterator.next()?.settings?.renewDays == 30, "the first item says that it is being watched")

          let registered = try await served.scheduler.call(
            Methods.Register.self, .init(identity: .init(scope: "instance", sip: "1"), description: .init(roles: [], dnsNames: [], certificates: [])))
          #expect(registered.settings.maxDnsNames == 100)
          let csr = try makeCSR("a.example.net")
          let submitted = try await served.scheduler.call(
            Methods.Submit.self, .init(device: registered.device, csr: csr.pem, slot: "default", dnsNames: ["A.example.net"], force: false)
          ).request
          #expect(submitted.state == .queued)

          var states: [RequestState] = []
          var certificate: DeliveredCertificate?
          while certificate == nil, let next = await iterator.next() {
            #expect(next.device == registered.device)
            if let request = next.request { states.append(request.state) }
            certificate = next.request?.certificate
          }
          #expect(states == [.queued, .ordering, .challenging, .finalizing, .ready])
          let fingerprint = try #require(certificate?.fingerprint)
          _ = try await served.scheduler.call(
            Methods.Installed.self, .init(device: registered.device, request: submitted.id, fingerprint: fingerprint))
          let resumed = try await served.scheduler.call(Methods.Resume.self, .init(device: registered.device, csrHash: csr.hash))
          #expect(resumed.request.state == .installed)
        }
      }
    }
  }

  @Test("refusals and what is not there are answered in the interface's own words")
  func faults() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await serving(bench, fleet) { served in
        let nobody = DeviceID(rawValue: "nobody")
        await #expect(throws: SchedulerMethods.NotFound.self) {
          try await served.scheduler.call(SchedulerMethods.Resume.self, .init(device: nobody, slot: "default"))
        }
        await #expect {
          try await served.scheduler.call(SchedulerMethods.Submit.self, .init(device: nobody, csr: "x", slot: "s", force: false))
        } throws: {
          ($0 as? SchedulerMethods.Refused)?.error == "badCsr"
        }
        await #expect { try await served.scheduler.call(SchedulerMethods.Register.self, .init(identity: .init(scope: "instance"))) } throws: {
          ($0 as? SchedulerMethods.Refused)?.error == "missingProperty"
        }
        await #expect { try await served.admin.call(AdminMethods.ChangeSetting.self, .init(key: "x", value: "y")) } throws: {
          ($0 as? AdminMethods.Refused)?.error == "unknownSetting"
        }
        await #expect(throws: AdminMethods.NotFound.self) {
          try await served.admin.call(AdminMethods.GetChain.self, .init(request: RequestID(rawValue: "none")))
        }
        await #expect(throws: AdminMethods.NotFound.self) {
          try await served.admin.call(AdminMethods.Renew.self, .init(device: nobody, force: true))
        }
      }
    }
  }

  @Test("a reader of Watch that is too slow is told to open it again")
  func resync() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet(longestQueue: 10)
      try await serving(bench, fleet) { served in
        await #expect(throws: SchedulerMethods.Resync.self) {
          _ = try await served.scheduler.stream(SchedulerMethods.Watch.self, .init()) { first in
            guard first.settings != nil else { return }
            for number in 0..<10_000 { fleet.watched.changes.publish(.init(device: DeviceID(rawValue: "\(number)"))) }
          }
        }
      }
    }
  }

  @Test("an administrator hands in a CSR file and gets its certificate, and sees it in the lists")
  func administrator() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await serving(bench, fleet) { served in
        let csr = try makeCSR("printer.example.net")
        let states = Mutex<[RequestState]>([])
        let last = try await served.admin.stream(AdminMethods.Request.self, .init(device: "printer", csr: csr.pem, force: false)) { reply in
          states.withLock { $0.append(reply.state) }
        }
        #expect(last.state == .ready)
        #expect(states.withLock(\.first) == .queued)
        let chain = try await served.admin.call(AdminMethods.GetChain.self, .init(request: last.request)).chain
        #expect(chain == last.chain)

        let device = try #require(try await served.admin.call(AdminMethods.ListDevices.self, .init()).devices.first)
        #expect(device.scope == "administrator")
        #expect(device.key == "printer")
        #expect(device.names == [dns("printer.example.net")])
        #expect(try await served.admin.call(AdminMethods.ListNames.self, .init()).names.map(\.device) == [device.id])
        let certificate = try await served.admin.call(AdminMethods.ListCertificates.self, .init(device: device.id, all: false)).certificates.first
        #expect(certificate?.state == .ready)
        #expect(certificate?.issuer == "Test Issuer")
        let status = try await served.admin.call(AdminMethods.Status.self, .init())
        #expect(status.configured)
        #expect(status.requests == [StateCount(state: .ready, count: 1)])
        #expect(status.nextExpiry == certificate?.notAfter)
        #expect(status.schemaVersion == Schema.version)
      }
    }
  }

  @Test("an administrator who hands in a CSR whose request failed has it tried again now")
  func administratorTriesAgain() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await serving(bench, fleet) { served in
        let csr = try makeCSR("printer.example.net")
        let call = AdminMethods.Request.Parameters(device: "printer", csr: csr.pem, force: false)
        bench.client.set(.fail(Problem(.nameUnreachable, "No.")))
        let failed = try await served.admin.stream(AdminMethods.Request.self, call) { _ in }
        #expect(failed.state == .failed)
        bench.client.set(.issue())
        let last = try await served.admin.stream(AdminMethods.Request.self, call) { _ in }
        #expect(last.state == .ready)
        #expect(last.request == failed.request)
      }
    }
  }

  @Test("an administrator who waits for a certificate while very much happens gets it all the same")
  func administratorInCrowd() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet(longestQueue: 10)
      try await serving(bench, fleet) { served in
        let call = AdminMethods.Request.Parameters(device: "printer", csr: try makeCSR("printer.example.net").pem, force: false)
        let last = try await served.admin.stream(AdminMethods.Request.self, call) { _ in
          for number in 0..<10_000 { fleet.watched.changes.publish(.init(device: DeviceID(rawValue: "\(number)"))) }
        }
        #expect(last.state == .ready)
      }
    }
  }

  @Test("an administrator's CSR for a name of a device is answered at once: it waits for approval")
  func administratorWaits() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await serving(bench, fleet) { served in
        _ = try await fleet.submit(makeCSR("a.example.net"), of: fleet.device("1"))
        let last = try await served.admin.stream(AdminMethods.Request.self, .init(device: "p", csr: makeCSR("a.example.net").pem, force: false)) {
          _ in
        }
        #expect(last.state == .awaitingApproval)
        #expect(last.text?.contains("a.example.net") == true)
      }
    }
  }

  @Test("an administrator may ask a CA what it is, the one that is set or another")
  func describeAuthority() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await serving(bench, fleet) { served in
        let set = try await served.admin.call(AdminMethods.DescribeAuthority.self, .init())
        #expect(set.directory == "https://acme.test/directory" && set.date == bench.clock.wallClock.now())
        let other = try await served.admin.call(
          AdminMethods.DescribeAuthority.self, .init(directory: "https://acme.test/other", trustRoots: "/roots.pem"))
        #expect(other.directory == "https://acme.test/other" && other.website == "/roots.pem" && other.termsOfService == "https://acme.test/terms")
        await #expect {
          try await served.admin.call(AdminMethods.DescribeAuthority.self, .init(directory: "https://nowhere.test"))
        } throws: {
          ($0 as? AdminMethods.Refused) == .init(error: "caUnavailable", text: "https://nowhere.test cannot be reached.")
        }
      }
    }
  }

  @Test("the gateway hears its names and its proxies at once, and again when they or the CA change")
  func gatewayNames() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet([:])
      var items = fleet.watched.changes.open().makeAsyncIterator()
      _ = try await fleet.change("gateway.names", to: "gw.example.net")
      #expect(try await items.next()?.gateway?.names == [dns("gw.example.net")])
      _ = try await fleet.change("authority.directory", to: "https://acme.test/directory")
      #expect(try await items.next()?.gateway?.names == [dns("gw.example.net")])
      _ = try await fleet.change("gateway.trustedProxies", to: "127.0.0.1, 10.1.0.0/16")
      #expect(try await items.next()?.gateway?.trustedProxies.map(\.description) == ["127.0.0.1/32", "10.1.0.0/16"])
      for bad in ["proxy.example.com", "10.0.0.0/33", "10.0.0.1:80", "0.0.0.0/0"] {
        await #expect(throws: Refusal.self) { try await fleet.change("gateway.trustedProxies", to: bad) }
      }
      try await serving(bench, fleet) { served in
        let first = AsyncStream.makeStream(of: [DNSName]?.self)
        await withThrowingTaskGroup(of: Void.self) { tasks in
          defer { tasks.cancelAll() }
          tasks.addTask {
            _ = try await served.scheduler.stream(SchedulerMethods.Watch.self, .init()) { first.continuation.yield($0.gateway?.names) }
          }
          var names = first.stream.makeAsyncIterator()
          #expect(await names.next() == [dns("gw.example.net")])
        }
      }
    }
  }

  @Test("who changes a setting or gives a name away stands in the event")
  func audit() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await serving(bench, fleet) { served in
        let second = try await fleet.device("2")
        _ = try await fleet.submit(makeCSR("a.example.net"), of: fleet.device("1"))
        _ = try await fleet.submit(makeCSR("a.example.net"), of: second)
        _ = try await served.admin.call(AdminMethods.ApproveName.self, .init(name: dns("a.example.net"), device: second))
        _ = try await served.admin.call(AdminMethods.ChangeSetting.self, .init(key: "devices.renewDays", value: "20"))
        let events = try await served.admin.list(AdminMethods.ListEvents.self, .init()).events
        for code in ["nameApproved", "settingChanged"] {
          #expect(events.first { $0.code == code }?.text.contains("uid \(getuid())") == true)
        }
      }
    }
  }

  @Test("events are listed, and with more each new one follows")
  func events() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      try await serving(bench, fleet) { served in
        _ = try await fleet.change("devices.renewDays", to: "20")
        let once = try await served.admin.call(AdminMethods.ListEvents.self, .init())
        #expect(once.events.map(\.code) == ["settingChanged"])

        let (batches, batch) = AsyncStream.makeStream(of: [EventView].self)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
          defer { tasks.cancelAll() }
          tasks.addTask { _ = try await served.admin.stream(AdminMethods.ListEvents.self, .init()) { batch.yield($0.events) } }
          var iterator = batches.makeAsyncIterator()
          #expect(await iterator.next()?.count == 1)
          _ = try await fleet.change("devices.renewDays", to: "21")
          #expect(await iterator.next()?.map(\.text) == ["devices.renewDays was set to “21”."])
        }
      }
    }
  }
}

@Suite("Readers of a stream")
struct SubscriptionsTests {
  @Test("a thousand that do not read delay nobody, and each is told that it was too slow")
  func slow() async throws {
    let subscriptions = Subscriptions<Int>(capacity: 5)
    let slow = (0..<1_000).map { _ in subscriptions.open() }
    for number in 0..<10 { subscriptions.publish(number) }
    for stream in slow {
      var received: [Int] = []
      await #expect(throws: Subscriptions<Int>.Overflow.self) {
        for try await number in stream { received.append(number) }
      }
      #expect(received == [0, 1, 2, 3, 4])
    }
  }

  @Test("where an item only says \"look again\", the newest stands for all")
  func coalesced() async throws {
    let subscriptions = Subscriptions<Int>(capacity: nil)
    var reader = subscriptions.open().makeAsyncIterator()
    for number in 0..<10 { subscriptions.publish(number) }
    #expect(try await reader.next() == 9)
  }
}

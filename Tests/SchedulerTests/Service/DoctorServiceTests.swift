import ACMEClientAPI
import PKI
import SchedulerAPI
import Synchronization
import Testing
import Varlink

@testable import Scheduler

@Suite("The doctor's look before a first order")
struct DoctorServiceTests {
  private static func settings(_ mode: String) -> [String: String] {
    ["ACME_CONNECTOR_AUTHORITY_DIRECTORY": "https://acme.test/directory", "ACME_CONNECTOR_DOCTOR_MODE": mode]
  }

  private func find(_ code: Finding.Code, _ severity: Finding.Severity, at name: String, by client: StandInClient) {
    let finding = Finding(code, severity, name: dns(name), text: "\(name) is ill.")
    client.state.withLock { $0.findings[dns(name)] = [finding] }
  }

  @Test("keeps the request waiting while something is wrong, at no cost, and lets it go when it is right")
  func block() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet(Self.settings("block"))
      find(.portClosed, .wrong, at: "b.example.net", by: bench.client)
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        let request = try await fleet.submit(makeCSR("a.example.net", "b.example.net"), of: device)
        let waiting = try await fleet.request(request.id, of: device, in: .waitingForName)
        #expect(waiting.name == dns("b.example.net"))
        #expect(try await fleet.certificates(of: nil, all: true).first?.text == "portClosed: b.example.net is ill.")
        #expect(bench.client.calls(for: request.id.rawValue) == 0)
        let attempts = try await fleet.store.read { try AttemptRecord.of(request.id, from: $0) }
        #expect(attempts.isEmpty)
        find(.portClosed, .doubtful, at: "b.example.net", by: bench.client)
        bench.clock.advance(by: .seconds(300) + .milliseconds(1))
        _ = try await fleet.request(request.id, of: device, in: .ready)
        let examined = bench.client.state.withLock(\.examined)
        #expect(examined.count == 2 && examined.allSatisfy(\.beforeOrder) && examined[0].authority?.directory == "https://acme.test/directory")
        #expect(examined[0].candidates == ["a.example.net", "b.example.net"].map { .init(name: dns($0), device: device.rawValue) })
      }
    }
  }

  @Test("is not taken where a name has had a certificate")
  func second() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet(Self.settings("block"))
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        let first = try await fleet.submit(makeCSR("a.example.net"), of: device)
        _ = try await fleet.request(first.id, of: device, in: .ready)
        let second = try await fleet.submit(makeCSR("a.example.net", "b.example.net"), of: device, force: true)
        _ = try await fleet.request(second.id, of: device, in: .ready)
        #expect(bench.client.state.withLock(\.examined).map { $0.candidates.map(\.name.value) } == [["a.example.net"], ["b.example.net"]])
      }
    }
  }

  @Test("is taken at once when the order has failed, and what is wrong is told")
  func failed() async throws {
    try await onBench { bench in
      find(.filtered, .doubtful, at: "a.example.net", by: bench.client)
      bench.client.set(.fail(Problem(.challengeFailed, "The CA did not find the answer.", name: dns("a.example.net"))))
      let fleet = try bench.fleet(Self.settings("advise"))
      try await bench.working(fleet) {
        _ = try await fleet.submit(makeCSR("a.example.net"), of: try await fleet.device("1"))
        try await bench.eventually { try await fleet.eventCodes().contains("nameDiagnosed") }
      }
    }
  }

  @Test("advises: what is wrong is told beside an order that takes its time and goes on; switched off, it is not taken")
  func advise() async throws {
    try await onBench { bench in
      find(.filtered, .doubtful, at: "a.example.net", by: bench.client)
      bench.client.set(.stall)
      let fleet = try bench.fleet(Self.settings("advise"))
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        let request = try await fleet.submit(makeCSR("a.example.net"), of: device)
        try await bench.eventually { bench.client.calls(for: request.id.rawValue) == 1 }
        #expect(bench.client.state.withLock(\.examined).isEmpty, "an order that may succeed at once is left to itself")
        _ = try await bench.clock.nextPause(within: Consultation.grace)
        bench.clock.advance(by: Consultation.grace)
        try await bench.eventually { try await fleet.eventCodes().contains("nameDiagnosed") }
      }
      let silent = try bench.fleet(Self.settings("off"))
      bench.client.set(.issue())
      try await bench.working(silent) {
        let device = try await silent.device("2")
        let request = try await silent.submit(makeCSR("c.example.net"), of: device)
        _ = try await silent.request(request.id, of: device, in: .ready)
        #expect(bench.client.state.withLock(\.examined).count == 1)
      }
    }
  }

  @Test("a name that no device holds is looked at for the one that says that it answers for it, a reverse proxy perhaps, if that may ask for it")
  func unheld() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet(Self.settings("off"))
      try await bench.working(fleet) {
        func register(_ hardwareID: String, suffixes: [DNSName]? = nil, challenge: String?) async throws -> DeviceID {
          let description = DeviceDescription(
            roles: ["reverseProxy"], dnsNames: ["A.example.net.", "*.\(hardwareID).example.net"], certificates: [], challenge: challenge)
          let scope = suffixes == nil ? "instance" : "domain:\(hardwareID)"
          return try await fleet.register(.init(scope: scope, hardwareID: hardwareID, nameSuffixes: suffixes), description: description)
        }
        let proxy = try await register("proxy", suffixes: [dns("example.net")], challenge: "push")
        _ = try await register("stranger", suffixes: [dns("example.org")], challenge: "push")
        _ = try await register("silent", challenge: nil)
        _ = try await fleet.diagnose(
          ["a.example.net", "b.proxy.example.net", "b.stranger.example.net", "b.silent.example.net"].map(dns),
          by: VarlinkClient(path: bench.path("acme-client.sock"))
        ) { _ in }
        #expect(bench.client.state.withLock(\.examined).last?.candidates.map(\.device) == [proxy.rawValue, proxy.rawValue, nil, nil])
      }
    }
  }

  @Test("an administrator has it taken for any names, each for the device that holds it")
  func admin() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet(Self.settings("off").merging(["ACME_CONNECTOR_DOCTOR_RESOLVER": "192.0.2.53:5353"]) { $1 })
      try await bench.working(fleet) {
        let device = try await fleet.device("1")
        let request = try await fleet.submit(makeCSR("a.example.net"), of: device)
        _ = try await fleet.request(request.id, of: device, in: .ready)
        find(.caaForbids, .wrong, at: "a.example.net", by: bench.client)
        let last = try await fleet.diagnose([dns("x.example.net"), dns("a.example.net")], by: VarlinkClient(path: bench.path("acme-client.sock"))) {
          #expect($0.findings.map(\.severity) == [.fine])
        }
        #expect(last.findings == [.init(code: "caaForbids", severity: .wrong, name: dns("a.example.net"), text: "a.example.net is ill.")])
        let examined = try #require(bench.client.state.withLock(\.examined).last)
        #expect(examined.candidates.map(\.device) == [nil, device.rawValue] && examined.vantage.resolver == "192.0.2.53:5353")
        #expect(!examined.beforeOrder)
      }
    }
  }
}

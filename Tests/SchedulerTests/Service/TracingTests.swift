import PKI
import SchedulerAPI
import Synchronization
import Telemetry
import Testing

@testable import Scheduler

@Suite("What is traced") struct TracingTests {
  private func tracing(_ fleet: Fleet) -> [String] {
    fleet.traces.map { "\($0.category.rawValue) \($0.all ? "all" : $0.devices.map(\.rawValue).joined(separator: ","))" }
  }

  @Test("is switched for all or for one device, is stored, and the gateway is told of messages")
  func switched() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let device = try await fleet.device("1")
      var changes = fleet.watched.changes.open().makeAsyncIterator()
      try await fleet.setTrace([.appWebsocket, .app], on: true, device: device)
      #expect(try await changes.next()?.tracing == TraceSelection(devices: [device.rawValue]))
      try await fleet.setTrace([.challenge], on: true, device: nil)
      let after = ["App \(device)", "HttpClient ", "AppWebsocket \(device)", "Challenge all"]
      #expect(tracing(fleet) == after)
      #expect(tracing(try bench.fleet()) == after, "the next process goes on")
      try await fleet.setTrace(TraceCategory.allCases, on: false, device: nil)
      #expect(tracing(fleet) == ["App ", "HttpClient ", "AppWebsocket ", "Challenge "])
    }
  }

  @Test("for all devices cannot be switched off for one of them, and none of what was asked is done")
  func oneOfAll() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let device = try await fleet.device("1")
      try await fleet.setTrace([.challenge], on: true, device: nil)
      try await fleet.setTrace([.app], on: true, device: device)
      await #expect { try await fleet.setTrace([.app, .challenge], on: false, device: device) } throws: { ($0 as? Refusal)?.word == .notAllowed }
      #expect(tracing(fleet) == ["App \(device)", "HttpClient ", "AppWebsocket ", "Challenge all"])
      await #expect(throws: NotFound.self) { try await fleet.setTrace([.app], on: true, device: DeviceID(rawValue: "nobody")) }
    }
  }

  @Test("where the environment fixes it, it is not switched, and the refusal names the place")
  func fixed() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet(["ACME_CONNECTOR_TRACE_HTTP_CLIENT": "all"])
      #expect(fleet.settings.current.traces(.httpClient, of: DeviceID(rawValue: "any")))
      await #expect { try await fleet.setTrace([.httpClient], on: false, device: nil) } throws: {
        ($0 as? Refusal)?.text.contains("ACME_CONNECTOR_TRACE_HTTP_CLIENT") == true
      }
    }
  }

  @Test("reaches acme-client with each order of the device, and of no other")
  func withOrders() async throws {
    try await onBench { bench in
      let fleet = try bench.fleet()
      let (traced, other) = (try await fleet.device("1"), try await fleet.device("2"))
      try await fleet.setTrace([.httpClient, .challenge], on: true, device: traced)
      try await bench.working(fleet) {
        for (device, name) in [(traced, "a.example.net"), (other, "b.example.net")] {
          let request = try await fleet.submit(makeCSR(name), of: device)
          _ = try await fleet.request(request.id, of: device, in: .ready)
        }
        #expect(bench.client.state.withLock(\.traced) == [[.challenge, .httpClient], nil])
      }
    }
  }
}

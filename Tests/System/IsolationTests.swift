import FoundationEssentials
import Programs
import Testing

extension SystemTests {
  /// Somebody took over a service: what can they do? `bed/probe` runs in its place, in the same unit.
  @Suite("Another program in a service's place") struct IsolationTests {
    /// What it could do, as it told.
    struct Report: Decodable {
      var reads: [String]
      var writes: [String]
      var keeps: [String]
      var calls: [String]
      var opens: [String]
      var connectsOut: Bool
      var sockets: [String]
      var capabilities: Int
      var noNewPrivileges: Bool
      var filtersCalls: Bool
      var becomesRoot: Bool
      var dumpsCore: Bool
      var seesProcesses: Int
    }

    @Test("has what is the service's own, and nothing else", arguments: Unit.allCases)
    func stranger(unit: Unit) async throws {
      let report = try await probe(unit)
      // Files: its own state, and nothing of another's or of the machine's secrets.
      #expect(report.reads == [unit.folder])
      #expect(report.writes == [])
      #expect(report.keeps == [unit == .challengeHTTP ? "RUNTIME_DIRECTORY" : "STATE_DIRECTORY"])
      // Calls: the services that this one calls, and no other.
      #expect(report.calls == unit.calls)
      #expect(Set(report.sockets) == Set(Role.all.filter { $0.unit == unit }.map(\.name)))
      // Network: only acme-client may connect to other machines.
      #expect(report.connectsOut == (unit == .acmeClient))
      #expect(report.opens == (unit == .acmeClient ? ["AF_UNIX", "AF_INET", "AF_INET6"] : ["AF_UNIX"]))
      // Rights: none of root's, and no sight of other processes.
      #expect(report.capabilities == 0 && !report.becomesRoot && !report.dumpsCore)
      #expect(report.noNewPrivileges && report.filtersCalls)
      #expect(report.seesProcesses == 0)
    }

    /// All have run, so that each has something to keep; then the probe takes the place of one.
    private func probe(_ unit: Unit) async throws -> Report {
      try await Bed.with { bed in
        try await bed.writeFirstSecrets()
        for unit in Unit.allCases { try await bed.wake(unit) }
        // From the callers to the called, or else a caller would wake the service again at once.
        for unit in Unit.allCases.reversed() { try await bed.run("systemctl", "stop", unit.service) }
        // Somebody who listens outside of the unit's own network: the gateway.
        let probe = "\(Bed.project("Tests/System/bed/probe")) 127.0.0.1:8080"
        try await bed.add("[Service]\nType=exec\nWatchdogSec=0\nRestart=no\nExecStart=\nExecStart=\(probe)", to: unit.service)
        try await bed.run("systemctl", "start", "--wait", unit.service)
        let line = try await bed.journal("--unit=\(unit.service)").last { $0.message.hasPrefix("probe ") }
        guard let line else { throw Failure("the probe said nothing") }
        return try JSONDecoder().decode(Report.self, from: Data(line.message.dropFirst("probe ".count).utf8))
      }
    }
  }
}

extension Unit {
  /// The sockets that it may call: device-gateway → scheduler → acme-client → responders, and the gateway's look-up of challenge answers.
  fileprivate var calls: [String] {
    switch self {
    case .challengeHTTP: []
    case .acmeClient: ["responders/challenge-http.sock", "responders/device-gateway.sock"]
    case .scheduler: ["acme-client.sock"]
    case .deviceGateway: ["challenge-http.sock", "scheduler.sock"]
    }
  }
}

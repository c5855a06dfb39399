import Programs
import Testing

extension SystemTests {
  @Suite("A service goes, and is back") struct RestartTests {
    @Test("killed, it is started again by itself", arguments: Unit.allCases)
    func killed(unit: Unit) async throws {
      try await Bed.with { bed in
        try await bed.add("[Service]\nRestartSec=100ms", to: unit.service)
        try await bed.wake(unit)
        // More often in a short time than systemd would allow by default: it would give up, and take the sockets down.
        for turn in 1...6 {
          try await bed.run("systemctl", "kill", "--signal=KILL", unit.service)
          try await bed.eventually("\(unit) did not come back") {
            let (restarts, state) = (try await bed.restarts(of: unit), try await bed.state(of: unit.service))
            return restarts >= turn && state == "active"
          }
        }
        for role in Role.all where role.unit == unit { #expect(try await bed.answers(role), "\(role.socket)") }
      }
    }

    @Test("hung, it is killed by the watchdog and started again", arguments: Unit.allCases)
    func hung(unit: Unit) async throws {
      try await Bed.with { bed in
        try await bed.add("[Service]\nWatchdogSec=500ms\nTimeoutAbortSec=500ms", to: unit.service)
        try await bed.run("systemctl", "stop", unit.service)
        try await bed.wake(unit)
        #expect(try await bed.restarts(of: unit) == 0)
        try await bed.run("systemctl", "kill", "--signal=STOP", unit.service)
        try await bed.eventually("\(unit) was not started anew") {
          let (restarts, state) = (try await bed.restarts(of: unit), try await bed.state(of: unit.service))
          return restarts == 1 && state == "active"
        }
        #expect(try await bed.journal("UNIT=\(unit.service)").contains { $0.message.contains("Watchdog timeout") })
        for role in Role.all where role.unit == unit { #expect(try await bed.answers(role), "\(role.socket)") }
      }
    }

    @Test("restarted under load, it loses no connection to port 80")
    func restartedUnderLoad() async throws {
      try await Bed.with { bed in
        let counts = try await bed.hammerAndDisturb { try await bed.run("systemctl", "restart", Unit.challengeHTTP.service) }
        print("restarted under load: \(counts)")
        #expect(counts.answered > 100)
        #expect(counts.wrong == 0 && counts.refused == 0 && counts.broken == 0, "\(counts)")
      }
    }

    @Test("killed under load, it refuses no connection to port 80")
    func killedUnderLoad() async throws {
      try await Bed.with { bed in
        let counts = try await bed.hammerAndDisturb { try await bed.run("systemctl", "kill", "--signal=KILL", Unit.challengeHTTP.service) }
        print("killed under load: \(counts)")
        #expect(counts.answered > 100)
        #expect(counts.wrong == 0 && counts.refused == 0, "\(counts)")
      }
    }
  }
}

extension Bed {
  /// Has port 80 asked for four seconds, and meanwhile does something to the service, again and again.
  fileprivate func hammerAndDisturb(_ disturb: @Sendable () async throws -> Void) async throws -> Hits {
    try await hammer(seconds: 4) {
      // The pauses are what is tested, so they are of time and not of events.
      for _ in 1...6 {
        try await Task.sleep(for: .milliseconds(400))
        try await disturb()
      }
    }
  }
}

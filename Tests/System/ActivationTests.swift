import Programs
import Testing

extension SystemTests {
  @Suite("After the machine's start") struct ActivationTests {
    @Test("every socket listens, the scheduler runs, and nothing else does")
    func started() async throws {
      try await Bed.with { bed in
        for role in Role.all { #expect(try await bed.state(of: role.socket) == "active", "\(role.socket)") }
        for unit in Unit.allCases {
          let state = try await bed.state(of: unit.service)
          #expect(state == (unit == .scheduler ? "active" : "inactive"), "\(unit)")
        }
      }
    }

    @Test("the first connection to any socket wakes its service, and is answered")
    func woken() async throws {
      try await Bed.with { bed in
        for role in Role.all {
          try await bed.run("systemctl", "stop", role.unit.service)
          #expect(try await bed.answers(role), "\(role.socket)")
          #expect(try await bed.state(of: role.unit.service) == "active", "\(role.socket)")
        }
      }
    }

    @Test("stopping the target stops all of it, and starting it brings all back")
    func target() async throws {
      try await Bed.with { bed in
        for unit in Unit.allCases { try await bed.wake(unit) }
        try await bed.run("systemctl", "stop", "acme-connector.target")
        // systemctl waits for the target itself, which goes first.
        for unit in Unit.allCases.map(\.service) + Role.all.map(\.socket) {
          try await bed.eventually("\(unit) was not stopped") { try await bed.state(of: unit) == "inactive" }
        }
        try await bed.run("systemctl", "start", "acme-connector.target")
        for role in Role.all { #expect(try await bed.answers(role), "\(role.socket)") }
      }
    }

    @Test("restarting the target again and again, every socket listens")
    func targetAgain() async throws {
      try await Bed.with { bed in
        for unit in Unit.allCases { try await bed.wake(unit) }
        for _ in 1...3 {
          try await bed.run("systemctl", "restart", "acme-connector.target")
          for role in Role.all { #expect(try await bed.answers(role), "\(role.socket)") }
        }
      }
    }

    @Test("a reload is the same process, which says so")
    func reload() async throws {
      try await Bed.with { bed in
        for unit in Unit.allCases {
          try await bed.wake(unit)
          let process = try await bed.property("MainPID", of: unit.service)
          try await bed.run("systemctl", "reload", unit.service)
          try await bed.eventually("\(unit) did not tell of its reload") {
            try await bed.journal("--unit=\(unit.service)").contains { $0.message == "reloaded" }
          }
          #expect(try await bed.property("MainPID", of: unit.service) == process)
        }
      }
    }
  }
}

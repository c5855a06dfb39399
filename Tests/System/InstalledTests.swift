import FoundationEssentials
import Programs
import Testing

extension SystemTests {
  /// Release executables, as they come to a machine.
  @Suite("Installed from its packages", .enabled(if: Packages.areWanted, "there are no packages in .build/packages; make deb makes them"))
  struct InstalledTests {
    private static let idle: [Unit] = [.acmeClient, .challengeHTTP]

    @Test("it is set up, a host gets its certificate, what is idle goes, and the next enrolment wakes it")
    func fromNothing() async throws {
      try await Bed.withPackages("acme-connector", "acme-device") { bed in
        // As an administrator would have it shorter than a minute.
        for unit in Self.idle { try await bed.add("[Service]\nEnvironment=ACME_CONNECTOR_IDLE=2", to: unit.service) }
        try await bed.withPebble { pebble in
          try await bed.setUpFromNothing(at: pebble)
          try await bed.eventually("idle services stay") {
            for unit in Self.idle where try await bed.state(of: unit.service) != "inactive" { return false }
            return true
          }
          try await expectRest(in: bed)

          let secret = "/etc/credstore/acme-device.default"
          try await bed.enroll(["next.system.example"], secret: secret, options: ["--hardware-id", "next"])
          try await bed.expectCertificate(for: ["next.system.example"], in: "/root/device", under: pebble.root)
          #expect(try await bed.journal("--unit=acme-*", "--priority=err").isEmpty)
        }
      }
    }

    /// All sockets listen; scheduler and gateway run, and nothing else does; nothing has failed.
    private func expectRest(in bed: Bed) async throws {
      for unit in Unit.allCases {
        #expect(try await bed.state(of: unit.service) == (Self.idle.contains(unit) ? "inactive" : "active"), "\(unit)")
        #expect(try await bed.property("Result", of: unit.service) == "success", "\(unit)")
      }
      for role in Role.all {
        let state = try await bed.property("SubState", of: role.socket)
        #expect(state == (Self.idle.contains(role.unit) ? "listening" : "running"), "\(role.socket)")
      }
    }

    /// Milliseconds, turn by turn, as `bed/wake` has measured them.
    private struct Wakes: Decodable {
      var connection: [Double]
      var exec: [Double]
      var cpu: [Double]
    }

    /// What is promised of any machine. What it takes on this one is printed: less when it has nothing else to do.
    private static let (mostProcessor, mostOfAll, mostAtRest) = (100.0, 96, 56)

    @Test("it is awake soon, and what it takes of processor and memory is bounded")
    func figures() async throws {
      try await Bed.withPackages("acme-connector") { bed in
        let woken = try await bed.run(Bed.program("wake"), "9", limit: .seconds(100))
        let wakes = try JSONDecoder().decode([String: Wakes].self, from: Data(woken.utf8))
        for unit in Unit.allCases {
          // The time on the clock is printed and not tested: it depends on what else the machine does.
          let figures = try #require(wakes[unit.rawValue])
          print(
            "\(unit.rawValue): \(median(figures.connection)) ms from connection to answer, \(median(figures.exec)) ms from exec,",
            "\(median(figures.cpu)) ms of a processor")
          #expect(median(figures.cpu) <= Self.mostProcessor)
        }

        var kibibytes: [Unit: Int] = [:]
        for unit in Unit.allCases {
          try await bed.run("systemctl", "restart", unit.service)
          kibibytes[unit] = try await bed.proportionalMemory(of: unit)
          print("\(unit.rawValue): PSS \(kibibytes[unit, default: 0]) KiB")
        }
        let all = kibibytes.values.reduce(0, +)
        let rest = kibibytes[.scheduler, default: 0] + kibibytes[.deviceGateway, default: 0]
        #expect(all / 1024 <= Self.mostOfAll && rest / 1024 <= Self.mostAtRest)
        print("all four: PSS \(all / 1024) MiB; at rest, without those that idle: \(rest / 1024) MiB")
      }
    }

    private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
  }
}

extension Bed {
  /// What a service takes of the machine's memory, with what it shares with others by its share: kibibytes.
  fileprivate func proportionalMemory(of unit: Unit) async throws -> Int {
    let process = try await property("MainPID", of: unit.service)
    return Int(try await run("sed", "-n", #"s/^Pss: *\([0-9]*\) kB$/\1/p"#, "/proc/\(process)/smaps_rollup")) ?? 0
  }
}

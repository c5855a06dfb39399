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
    private static let (mostProcessor, mostOfAll, mostAtRest) = (100.0, 45, 25)

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

        for unit in Unit.allCases { try await bed.run("systemctl", "restart", unit.service) }
        print("all four, just started: \(try await bed.memory(of: Unit.allCases))")
        var figures = ""
        try await bed.eventually("the services take more than \(Self.mostOfAll) MiB, or \(Self.mostAtRest) MiB those that stay", within: .seconds(60))
        {
          let (all, stay) = (try await bed.memory(of: Unit.allCases), try await bed.memory(of: [.scheduler, .deviceGateway]))
          figures = "all four, at rest: \(all); without those that idle: \(stay)"
          return all.mebibytes <= Self.mostOfAll && stay.mebibytes <= Self.mostAtRest
        }
        print(figures)
      }
    }

    private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
  }
}

extension Bed {
  /// What services take of the machine's memory, with what they share with others by their share.
  fileprivate func memory(of units: [Unit]) async throws -> ProportionalMemory {
    var memory = ProportionalMemory()
    for unit in units {
      let process = try await property("MainPID", of: unit.service)
      memory.kibibytes[unit] = Int(try await run("sed", "-n", #"s/^Pss: *\([0-9]*\) kB$/\1/p"#, "/proc/\(process)/smaps_rollup"))
    }
    return memory
  }
}

/// What services take of the machine's memory (`Pss` in proc_pid_smaps(5)).
private struct ProportionalMemory: CustomStringConvertible {
  var kibibytes: [Unit: Int] = [:]

  var mebibytes: Int { kibibytes.values.reduce(0, +) / 1024 }

  var description: String {
    let each = kibibytes.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.key.rawValue) \($0.value) KiB" }
    return "PSS \(mebibytes) MiB (\(each.joined(separator: ", ")))"
  }
}

import FoundationEssentials
import Programs
import Testing

extension SystemTests {
  @Suite("A disk that takes nothing") struct DiskTests {
    /// What may be wrong with it, how it is mended, and what is to be read in the journal.
    enum Fault: String, Sendable, CaseIterable {
      case full, readOnly

      var words: [String] {
        switch self {
        case .full: ["No space left on device", "make room on its disk"]
        case .readOnly: ["Read-only file system", "mount it for writing"]
        }
      }

      func befall(_ unit: Unit, of bed: Bed) async throws {
        switch self {
        case .full: try await bed.fillDisk(of: unit)
        case .readOnly: try await bed.mountDisk(of: unit, as: "ro")
        }
      }

      func mend(_ unit: Unit, of bed: Bed) async throws {
        switch self {
        case .full: try await bed.makeRoom(on: unit)
        case .readOnly: try await bed.mountDisk(of: unit, as: "rw")
        }
      }
    }

    /// Those that write before they serve. (What acme-client keeps, it writes when it is asked for something.)
    static let starts: [(Unit, Fault)] = [
      (.scheduler, .full), (.scheduler, .readOnly), (.deviceGateway, .full), (.deviceGateway, .readOnly), (.challengeHTTP, .readOnly),
    ]

    @Test(
      "at the start: one line of the journal says why and what to do, and the service starts by itself when that is done", arguments: DiskTests.starts
    )
    func atStart(unit: Unit, fault: Fault) async throws {
      try await Bed.with { bed in
        try await bed.giveDisk(to: unit)
        try await fault.befall(unit, of: bed)
        try await bed.run("systemctl", "start", unit.service)
        let complaints = { try await bed.journal("--unit=\(unit.service)", "--priority=warning") }
        try await bed.eventually("\(unit) did not tell why it cannot start") { try await !complaints().isEmpty }
        // It looks again every second: that this is quiet takes time to see.
        try await Task.sleep(for: .milliseconds(2_500))
        let told = try await complaints()
        #expect(told.count == 1, "\(told)")
        for word in fault.words { #expect(told.first?.message.contains(word) == true, "\(told)") }
        #expect(try await bed.property("StatusText", of: unit.service).contains(fault.words[0]))
        #expect(try await bed.restarts(of: unit) == 0)

        // Mounted for writing, a disk is so for another process only, which the service gives way to.
        try await fault.mend(unit, of: bed)
        for role in Role.all where role.unit == unit { #expect(try await bed.answers(role), "\(role.socket)") }
        #expect(try await bed.journal("--unit=\(unit.service)", "--priority=warning").filter { $0.message.contains("cannot start") }.count == 1)
        #expect(try await bed.restarts(of: unit) == (fault == .readOnly ? 1 : 0))
      }
    }

    @Test(
      "in the middle of the work: one line says so, the device waits, and has its certificate when there is room",
      arguments: [Unit.scheduler, .acmeClient])
    func atWork(unit: Unit) async throws {
      try await Bed.with { bed in
        try await bed.writeFirstSecrets()
        try await bed.withPebble { pebble in
          try await bed.use(pebble)
          try await bed.giveDisk(to: unit)
          try await bed.wake(unit)
          try await bed.wake(.deviceGateway)
          try await bed.fillDisk(of: unit)
          async let enrolment: Void = bed.enroll(["full.system.example"])
          let complaints = { try await bed.journal("EVENT=storingFailed") }
          try await bed.eventually("\(unit) did not tell that its disk is full") { try await !complaints().isEmpty }
          // Long enough for several attempts.
          try await Task.sleep(for: .seconds(2))
          let told = try await complaints()
          #expect(told.count == 1, "\(told)")
          for word in Fault.full.words { #expect(told.first?.message.contains(word) == true, "\(told)") }

          try await bed.makeRoom(on: unit)
          try await enrolment
          try await bed.expectCertificate(for: ["full.system.example"], in: "/root/device", under: pebble.root)
          #expect(try await bed.count(of: "Added order ", in: pebble) == 1)
        }
      }
    }
  }
}

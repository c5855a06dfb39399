import FoundationEssentials
import Programs
import SchedulerAPI
import Testing

extension Integration {
  @Suite("Many at once") struct CrowdTests {
    @Test("two hundred devices get their certificates")
    func twoHundred() async throws {
      try await Testbed.with { bed in
        let fleet = try await Fleet.run(["--devices", "200"], at: bed.connector)
        try #require(fleet.failures.isEmpty)
        try #require(fleet.ready == 200)
        try #require(bed.pebble.record() == .init(orders: 200, certificates: 200))
      }
    }

    @Test("the same CSR five times at once is one request and one order")
    func fiveTimes() async throws {
      try await Testbed.with { bed in
        let fleet = try await Fleet.run(["--devices", "1", "--times", "5"], at: bed.connector)
        try #require(fleet.ready == 1)
        try #require(fleet.requests.count == 1)
        try #require(bed.pebble.record() == .init(orders: 1, certificates: 1))
      }
    }

    @Test("the same RSA CSR is renewed twice")
    func renewedTwice() async throws {
      try await Testbed.with { bed in
        let device = bed.device()
        var serials: Set<String> = []
        for turn in 0...2 {
          if turn > 0 { try await #require(bed.connector.administer("renew", "--force", "--name", Testbed.names(1)[0]).succeeded) }
          let outcome = try await device.enroll(Testbed.names(1), options: ["--key-type", "rsa2048"])
          try #require(outcome.succeeded, "\(outcome.complaints)")
          serials.insert(try await device.serial())
        }
        try #require(serials.count == 3)
        try #require(bed.pebble.record() == .init(orders: 3, certificates: 3))
      }
    }

    @Test("a name that another device holds waits for approval, and is had after it")
    func approval() async throws {
      try await Testbed.with { bed in
        let names = Testbed.names(1)
        try await #require(bed.device("first").enroll(names, options: ["--hardware-id", "first"]).succeeded)
        try await withThrowingTaskGroup(of: Command.Outcome.self) { tasks in
          tasks.addTask { try await bed.device("second").enroll(names, options: ["--hardware-id", "second"]) }
          try await bed.connector.claim(on: names[0])
          try #require(bed.pebble.record().certificates == 1)
          let approved = try await bed.connector.administer("names", "approve", names[0])
          try #require(approved.succeeded, "\(approved.complaints)")
          let second = try await #require(tasks.next())
          try #require(second.succeeded, "\(second.complaints)")
        }
        try await #require(bed.device("second").holdsCertificate(for: names, under: bed.pebble.root))
      }
    }
  }
}

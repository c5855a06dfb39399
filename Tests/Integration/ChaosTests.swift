import FoundationEssentials
import Programs
import SchedulerAPI
import Testing

extension Integration {
  @Suite("Chaos") struct ChaosTests {
    private static let devices = 100

    @Test("a service is killed every 200 ms for a minute, under a CA that is slow and refuses nonces, and a hundred devices get their certificates")
    func chaos() async throws {
      let seed = Killer.seed
      print("chaos: seed \(seed)")
      try await Testbed.with(.init(refusedNonces: 20, sleeps: true), longestPause: 0.1) { bed in
        async let outcome = Fleet.run(["--devices", "\(Self.devices)"], of: "loyal.py", at: bed.connector)
        var killer = Killer(of: bed.connector, seed: seed)
        try await killer.rage(for: .seconds(60))
        // A name that the CA looked for when challenge-http died is tried again after a minute: nobody need wait for that here.
        try await bed.connector.eventually("an order does not end") {
          let requests = try await bed.connector.certificates()
          return requests.count == Self.devices && requests.allSatisfy { [.failed, .ready, .installed].contains($0.state) }
        }
        try await #require(bed.connector.administer("renew").succeeded)
        let fleet = try await outcome

        let (record, invalid) = try (bed.pebble.record(), bed.pebble.failedValidations())
        let requests = try await bed.connector.certificates()
        let newOrders = requests.map(\.newOrders).reduce(0, +)
        print("chaos: killed \(killer.deaths); \(record), \(invalid) names looked for in vain, \(newOrders) newOrder requests counted")
        try #require(killer.deaths.count == Killer.services.count, "seed \(seed)")
        try #require(fleet.failures.isEmpty && fleet.ready == Self.devices, "\(fleet.failures), seed \(seed)")
        try #require(requests.count == Self.devices && requests.allSatisfy { $0.state == .installed }, "seed \(seed)")
        try #require(Set(requests.map(\.request.rawValue)) == Set(fleet.requests), "seed \(seed)")
        try #require(record.certificates == Self.devices, "seed \(seed)")
        // An order is one more only where the CA looked in vain, or a death came between newOrder and its answer; and each was counted before.
        try #require(record.orders <= newOrders, "seed \(seed)")
        let deaths = killer.deaths["acme-client", default: 0]
        try #require(requests.allSatisfy { (1...(1 + invalid + deaths)).contains($0.newOrders) }, "seed \(seed)")
      }
    }
  }
}

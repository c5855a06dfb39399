import Testing

@testable import RenewalSimulation

@Suite("Two years of a fleet")
struct SimulationTests {
  @Test("pass without a certificate that ends, a limit that is run into, or an alarm that is missing or left")
  func well() {
    var simulation = Simulation(devices: 80, seed: 1, broken: .none)
    simulation.run(days: 730)
    #expect(simulation.violations == [])
    #expect(simulation.failures > 0, "there are outages and names that cannot be reached")
    let events = simulation.state.events
    #expect(events.count(.authorityFailed) > 0, "and the CA is out of order at times")
    #expect(events.count(.nameApproved) > 0 && events.count(.campaignBegan) == 1)
  }

  @Test("a rule that is broken is noticed", arguments: BrokenRule.allCases.filter { $0 != .none })
  func broken(rule: BrokenRule) {
    // All that the CA grants a domain in a week is spent by so many only, and second names come later.
    var simulation = Simulation(devices: [.caution, .urgency, .ledger].contains(rule) ? 320 : 120, seed: 1, broken: rule)
    simulation.run(days: rule == .urgency ? 445 : 410)
    #expect(!simulation.violations.isEmpty)
  }

  @Test("the same seed gives the same years")
  func deterministic() {
    let runs = (0..<2).map { _ in
      var simulation = Simulation(devices: 40, seed: 7, broken: .none)
      simulation.run(days: 300)
      return [simulation.polls, simulation.authority.issued, simulation.failures]
    }
    #expect(runs[0] == runs[1])
  }

  @Test("all certificates of a fleet that are overdue are asked about by and by, and then every six hours")
  func inquiries() {
    let asked = Inquiries(certificates: 5_000, days: 1, seed: 1)
    #expect(asked.count == 4 * 5_000)
    #expect(asked.busiestSecond <= 160)
  }
}

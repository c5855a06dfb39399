import FoundationEssentials
import Glibc

/// Simulates years of a fleet in seconds: `simulation [devices] [days] [seed] [broken rule]`; or only how often a CA is asked about its certificates:
/// `simulation inquiries [certificates] [days]`. Ends with 1, and the seed, when something went wrong.
@main
struct Main {
  static func main() {
    let arguments = Array(CommandLine.arguments[1...])
    func number(_ index: Int) -> Int? { arguments.dropFirst(index).first.flatMap(Int.init) }
    if arguments.first == "inquiries" {
      askOnly(certificates: number(1) ?? 100_000, days: number(2) ?? 2)
    } else {
      let seed = number(2).flatMap(UInt64.init) ?? .random(in: 0...999_999)
      let broken = arguments.dropFirst(3).first.flatMap(BrokenRule.init) ?? .none
      simulate(devices: number(0) ?? 1_000, days: number(1) ?? 730, seed: seed, broken: broken)
    }
  }

  private static func simulate(devices: Int, days: Int, seed: UInt64, broken: BrokenRule) {
    var simulation = Simulation(devices: devices, seed: seed, broken: broken)
    let duration = ContinuousClock().measure { simulation.run(days: days) }
    let (issued, failures, polls) = (simulation.authority.issued, simulation.failures, simulation.polls)
    print(
      "\(devices) devices, \(days) days, seed \(seed): \(issued) certificates, \(failures) failed orders, \(polls) questions about renewal; in "
        + "\(duration.components.seconds) s")
    for violation in simulation.violations.prefix(20) { print(violation) }
    guard simulation.violations.isEmpty else {
      print("\(simulation.violations.count) times a rule was broken; to see it again: simulation \(devices) \(days) \(seed) \(broken)")
      exit(1)
    }
  }

  private static func askOnly(certificates: Int, days: Int) {
    let asked = Inquiries(certificates: certificates, days: days, seed: 1)
    print("\(certificates) certificates, \(days) days: \(asked.count) questions about renewal, \(asked.busiestSecond) in the busiest second")
  }
}

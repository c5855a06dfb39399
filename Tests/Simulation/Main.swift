import FoundationEssentials
import Glibc

/// Simulates years of a fleet in seconds: `simulation [devices] [days] [seed] [broken rule]`. Ends with 1, and the seed, when something went wrong.
@main
struct Main {
  static func main() {
    let arguments = Array(CommandLine.arguments[1...])
    let devices = arguments.first.flatMap(Int.init) ?? 1_000
    let days = arguments.dropFirst().first.flatMap(Int.init) ?? 730
    let seed = arguments.dropFirst(2).first.flatMap(UInt64.init) ?? .random(in: 0...999_999)
    let broken = arguments.dropFirst(3).first.flatMap(BrokenRule.init) ?? .none
    var simulation = Simulation(devices: devices, seed: seed, broken: broken)
    simulation.run(days: days)
    print(
      "\(devices) devices, \(days) days, seed \(seed): \(simulation.authority.issued) certificates, \(simulation.failures) failed orders, \(simulation.polls) questions about renewal"
    )
    for violation in simulation.violations.prefix(20) { print(violation) }
    guard simulation.violations.isEmpty else {
      print("\(simulation.violations.count) times a rule was broken; to see it again: simulation \(devices) \(days) \(seed) \(broken)")
      exit(1)
    }
  }
}

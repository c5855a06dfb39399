import Chance
import FoundationEssentials
import Glibc

/// Kills one service after the other, at moments that nobody chose: here time itself is what is tested, so its pauses are of time and not of events.
struct Killer {
  static let services = ["acme-client", "challenge-http", "device-gateway", "scheduler"]
  /// Between two deaths, on average.
  static let pause = Duration.milliseconds(200)
  /// `CHAOS_SEED` in the environment repeats the choices of an earlier run.
  static let seed = ProcessInfo.processInfo.environment["CHAOS_SEED"].flatMap(UInt64.init) ?? .random(in: 0...999_999)

  private let connector: Connector
  private var generator: SeededGenerator
  /// How often each service died.
  private(set) var deaths: [String: Int] = [:]

  /// - Parameter seed: what its choices come from; the moments at which they meet a service are the machine's.
  init(of connector: Connector, seed: UInt64) {
    self.connector = connector
    generator = SeededGenerator(seed: seed)
  }

  /// Goes on for so long.
  mutating func rage(for duration: Duration) async throws {
    let end = ContinuousClock.now + duration
    var next = ContinuousClock.now
    while next < end {
      // Deaths come as drops of rain do: the pauses between them are exponential.
      next += Self.pause * -log(1 - min(generator.fraction(), 0.999))
      try await Task.sleep(until: next)
      // One that is down is not there to be killed. Killing another in its stead would leave nobody alive for long.
      guard let service = Self.services.randomElement(using: &generator), let process = connector.process(of: service),
        kill(process, SIGKILL) == 0
      else { continue }
      deaths[service, default: 0] += 1
    }
  }
}

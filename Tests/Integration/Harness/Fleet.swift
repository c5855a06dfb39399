import FoundationEssentials
import Programs

/// Many devices in one foreign process, written in Python from the protocol page.
struct Fleet: Decodable, Sendable {
  /// How many got their certificate.
  var ready: Int
  /// What the others were told.
  var failures: [String]
  /// The ids of the requests that the answers named.
  var requests: [String]

  static func run(_ options: [String], at connector: Connector) async throws -> Fleet {
    let program = [Project.foreign("fleet.py"), connector.plain, connector.credential("device")]
    let outcome = try await Command(Project.foreignPython, program + options).run(limit: .seconds(180))
    guard outcome.succeeded else { throw Failure("the fleet failed: \(outcome.complaints)") }
    return try JSONDecoder().decode(Fleet.self, from: Data(outcome.output.utf8))
  }
}

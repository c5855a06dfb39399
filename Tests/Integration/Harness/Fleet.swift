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

  /// - Parameter program: `loyal.py` are devices that come again until they have their certificate.
  static func run(_ options: [String], of program: String = "fleet.py", at connector: Connector) async throws -> Fleet {
    let arguments = [Project.foreign(program), connector.plain, connector.credential("device")] + options
    let outcome = try await Command(Project.foreignPython, arguments).run(limit: .seconds(240))
    guard outcome.succeeded else { throw Failure("the fleet failed: \(outcome.complaints)") }
    return try JSONDecoder().decode(Fleet.self, from: Data(outcome.output.utf8))
  }
}

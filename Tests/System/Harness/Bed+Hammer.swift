import FoundationEssentials
import Programs

/// What became of many connections to port 80, each with a request for a challenge that nobody published.
struct Hits: Decodable, Sendable {
  var answered: Int
  var wrong: Int
  var refused: Int
  var broken: Int
}

extension Bed {
  /// Has port 80 asked without end for some seconds, and meanwhile does something.
  func hammer(seconds: Int, while disturb: @Sendable () async throws -> Void) async throws -> Hits {
    try await wake(.challengeHTTP)
    async let outcome = outcome(Self.program("hammer"), ["\(seconds)"])
    try await disturb()
    return try JSONDecoder().decode(Hits.self, from: Data(try await outcome.output.utf8))
  }
}

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
  /// - Parameter isLive: Whether half of the requests are for an answer that is there.
  func hammer(seconds: Int, isLive: Bool = false, while disturb: @Sendable () async throws -> Void) async throws -> Hits {
    try await wake(.challengeHTTP)
    async let outcome = outcome(Self.program("hammer"), ["\(seconds)"] + (isLive ? ["--live"] : []))
    try await disturb()
    let hammered = try await outcome
    guard hammered.succeeded else { throw Failure("the hammer failed: \(hammered.complaints)") }
    return try JSONDecoder().decode(Hits.self, from: Data(hammered.output.utf8))
  }
}

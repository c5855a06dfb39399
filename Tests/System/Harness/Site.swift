import FoundationEssentials
import Programs

/// Where a machine stands: its disk and its network, with the CA in it, are there before it and after it.
struct Site: Sendable {
  /// What is /var/lib/acme-connector inside.
  let state: URL
  private let network: Network

  /// A site with nothing on it; it is gone when `body` is done.
  static func with<Result: Sendable>(_ body: @Sendable (Site) async throws -> Result) async throws -> Result {
    let state = FileManager.default.temporaryDirectory.appending(path: "site-\(UInt32.random(in: 0 ... .max))")
    try FileManager.default.createDirectory(at: state, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: state) }
    return try await Network.with { try await body(Site(state: state, network: $0)) }
  }

  /// The machine is told of it.
  var options: [String] { ["--state", state.path, "--network", network.name] }

  /// Runs Pebble beside whatever machines there are during `body`.
  func withPebble(_ body: @Sendable (InnerPebble) async throws -> Void) async throws {
    let pebble = network.inside(InnerPebble.command(in: state.appending(path: "pebble").path))
    try await pebble.whileRunning(log: state.appending(path: "pebble.stderr")) { facts in
      try await body(InnerPebble(facts, in: "/var/lib/acme-connector/pebble"))
    }
  }
}

import FoundationEssentials
import Programs

/// Debian's Pebble inside the machine, looking at port 80.
struct InnerPebble: Sendable {
  /// The directory's URL.
  var directory: String
  /// The PEM file to trust for its API.
  var trust: String
  /// The PEM file of the root that it issues under.
  var root: String
}

extension Bed {
  /// Runs Pebble inside beside `body`.
  func withPebble(_ body: @Sendable (InnerPebble) async throws -> Void) async throws {
    let log = FileManager.default.temporaryDirectory.appending(path: "pebble-\(UInt32.random(in: 0 ... .max)).log")
    defer { try? FileManager.default.removeItem(at: log) }
    let pebble = Command(Project.pebble, ["/run/pebble", "--http", "80"], environment: ["PEBBLE_VA_NOSLEEP": "1"])
    try await inside(pebble).whileRunning(log: log) { facts in
      try await body(InnerPebble(directory: facts["ready"] ?? "", trust: facts["trust"] ?? "", root: facts["root"] ?? ""))
    }
  }
}

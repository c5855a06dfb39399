import FoundationEssentials
import Programs

/// Debian's Pebble inside the machine, or beside it in the same network, looking at port 80.
struct InnerPebble: Sendable {
  /// The directory's URL.
  var directory: String
  /// The PEM file to trust for its API.
  var trust: String
  /// The PEM file of the root that it issues under.
  var root: String
  /// Its log.
  var log: String

  /// - Parameter folder: Where its files are, as the machine sees them.
  init(_ facts: [String: String], in folder: String) {
    directory = facts["ready"] ?? ""
    (trust, root, log) = ("\(folder)/api-ca.pem", "\(folder)/root.pem", "\(folder)/pebble.log")
  }

  /// What runs it.
  static func command(in folder: String) -> Command {
    Command(Project.pebble, [folder, "--http", "80"], environment: ["PEBBLE_VA_NOSLEEP": "1", "PEBBLE_AUTHZREUSE": "0"])
  }
}

extension Bed {
  /// Runs Pebble inside beside `body`.
  func withPebble(_ body: @Sendable (InnerPebble) async throws -> Void) async throws {
    let log = FileManager.default.temporaryDirectory.appending(path: "pebble-\(UInt32.random(in: 0 ... .max)).log")
    defer { try? FileManager.default.removeItem(at: log) }
    let folder = "/run/pebble"
    try await inside(InnerPebble.command(in: folder)).whileRunning(log: log) { facts in try await body(InnerPebble(facts, in: folder)) }
  }

  /// How often its log has a text: `Added order `, `Issued certificate serial`.
  func count(of text: String, in pebble: InnerPebble) async throws -> Int {
    Int(try await run("sh", "-c", #"grep --count "$0" "$1" || true"#, text, pebble.log)) ?? 0
  }
}

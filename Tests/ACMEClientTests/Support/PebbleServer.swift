import FoundationEssentials
import Glibc
import Subprocess

/// Debian's Pebble, strict, with a DNS server for which every name is 127.0.0.1 (deploy/local/pebble.py).
struct PebbleServer: Sendable {
  /// Its nuisances: by default none.
  struct Manners: Sendable {
    /// Percent of good nonces that it refuses.
    var refusedNonces = 0
    /// Percent of names for which a valid authorization is used again, and one more: Pebble draws from 0 to 99 and makes a new one where that is
    /// above. With 0 it still uses one in a hundred again.
    var reusedAuthorizations = 0
    /// How many other roots it offers a chain to.
    var alternateRoots = 0
    var blocked: [String] = []
    var externalAccount = false
  }

  let directory: String
  /// The PEM file to trust for its API.
  let trust: String
  /// Where it looks for challenge answers.
  let challengePort: Int

  /// Runs it beside `body`.
  static func run<Value: Sendable>(
    in folder: URL, _ manners: Manners = Manners(), _ body: @Sendable (PebbleServer) async throws -> Value
  ) async throws -> Value {
    let port = try freePort()
    var arguments = [folder.path, "--http", "\(port)"] + manners.blocked.flatMap { ["--block", $0] }
    if manners.externalAccount { arguments.append("--external-account") }
    let environment: [Environment.Key: String] = [
      "PEBBLE_WFE_NONCEREJECT": "\(manners.refusedNonces)", "PEBBLE_AUTHZREUSE": "\(manners.reusedAuthorizations)",
      "PEBBLE_ALTERNATE_ROOTS": "\(manners.alternateRoots)", "PEBBLE_CHAIN_LENGTH": "2", "PEBBLE_VA_NOSLEEP": "1",
    ]
    let ending = [TeardownStep.gracefulShutDown(allowedDurationToNextStep: .seconds(10))]
    var options = PlatformOptions()
    options.teardownSequence = ending
    return try await Subprocess.run(
      .name("python3"), arguments: Arguments([program] + arguments), environment: .inherit.updating(environment), platformOptions: options,
      input: .none, output: .sequence, error: .currentStandardError
    ) { execution in
      var facts: [Substring: String] = [:]
      for try await line in execution.standardOutput.strings() {
        let words = line.split(whereSeparator: \.isWhitespace)
        if words.count == 2 { facts[words[0]] = String(words[1]) }
        if words.first == "ready" { break }
      }
      guard let directory = facts["ready"], let trust = facts["trust"] else { throw NotReady() }
      let value = try await body(PebbleServer(directory: directory, trust: trust, challengePort: port))
      await execution.teardown(using: ending)
      return value
    }.closureResult
  }

  struct NotReady: Error {}

  private static let program = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "deploy/local/pebble.py").path

  /// A TCP port of loopback that is free at this moment.
  static func freePort() throws -> Int {
    let probe = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(probe) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(probe, $0, length) == 0 && getsockname(probe, $0, &length) == 0 }
    }
    guard isBound else { throw NotReady() }
    return Int(UInt16(bigEndian: address.sin_port))
  }
}

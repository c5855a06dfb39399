import FoundationEssentials
import Glibc

/// A network namespace with nothing but loopback at first, and names of its own in /etc/hosts; only root can make one (ip-netns(8)).
package struct Network: Sendable {
  package let name: String

  /// Whether tests that need one are run: where this process may make one, and in CI, where nothing is skipped.
  package static var isWanted: Bool { geteuid() == 0 || ProcessInfo.processInfo.environment["CI"] != nil }

  /// Makes one in which these names are 127.0.0.1; it is gone when `body` is done.
  /// - Parameters:
  ///   - resolver: The DNS server of its own; the machine's if nil.
  ///   - suffix: What tells several at a time apart.
  package static func with<Result: Sendable>(
    names: [String] = [], resolver: String? = nil, called suffix: String = "", _ body: @Sendable (Network) async throws -> Result
  ) async throws -> Result {
    let network = Network(name: "acme-\(getpid())\(suffix)")
    // ip-netns puts the files of this folder over those of /etc for the commands that it runs.
    let files = URL(filePath: "/etc/netns/\(network.name)")
    try FileManager.default.createDirectory(at: files, withIntermediateDirectories: true)
    try Data("127.0.0.1 localhost \(names.joined(separator: " "))\n".utf8).write(to: files.appending(path: "hosts"))
    if let resolver { try Data("nameserver \(resolver)\n".utf8).write(to: files.appending(path: "resolv.conf")) }
    do {
      try await network.ip("netns", "add", network.name)
      try await network.ip("-netns", network.name, "link", "set", "lo", "up")
      let result = try await body(network)
      try await network.remove(files)
      return result
    } catch {
      try? await network.remove(files)
      throw error
    }
  }

  /// The same command inside.
  package func inside(_ command: Command) -> Command {
    Command("/usr/sbin/ip", ["netns", "exec", name, command.executable] + command.arguments, environment: command.environment)
  }

  /// Runs commands of ip(8) inside.
  package func configure(_ commands: String...) async throws {
    let outcome = try await Command("sh", ["-c", #"printf '%s\n' "$@" | ip -netns "$0" -batch -"#, name] + commands).run()
    guard outcome.succeeded else { throw Failure("ip -netns \(name) \(commands): \(outcome.complaints)") }
  }

  private func remove(_ files: URL) async throws {
    try? FileManager.default.removeItem(at: files)
    try await ip("netns", "delete", name)
  }

  private func ip(_ arguments: String...) async throws {
    let outcome = try await Command("ip", arguments).run()
    guard outcome.succeeded else { throw Failure("ip \(arguments.joined(separator: " ")): \(outcome.complaints)") }
  }
}

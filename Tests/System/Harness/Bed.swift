import FoundationEssentials
import Glibc
import Programs

/// A machine with real systemd and journald that boots with acme-connector installed, and is gone afterwards. See `Tests/System/bed/bed`.
struct Bed: Sendable {
  /// PID 1 of the machine, as seen from here.
  private let leader: String

  /// Why this machine cannot boot one, in one sentence.
  static let obstacle: String? = {
    let shell = "exec '\(program("bed"))' --obstacle"
    guard let pipe = popen(shell, "r") else { return "the program \(program("bed")) does not run" }
    defer { pclose(pipe) }
    var text: [UInt8] = []
    while case let byte = fgetc(pipe), byte != EOF { text.append(UInt8(truncatingIfNeeded: byte)) }
    return text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
  }()

  /// Whether the tests are to run: always in CI, where a silent skip would pass for a proof.
  static var isWanted: Bool { obstacle == nil || ProcessInfo.processInfo.environment["CI"] != nil }

  /// A program of Tests/System/bed.
  static func program(_ name: String) -> String { Project.root.appending(path: "Tests/System/bed/\(name)").path }

  /// A file of the project, as a service inside sees it.
  static func project(_ path: String) -> String { "/usr/src/acme-connector/\(path)" }

  /// Boots one, and ends it when `body` is done. Where `body` fails, what the connector's units said is shown.
  /// - Parameters:
  ///   - isBare: Whether it is a machine without acme-connector.
  ///   - site: Where it stands, if anything of it is to outlive it.
  static func with<Result: Sendable>(
    isBare: Bool = false, at site: Site? = nil, _ body: @Sendable (Bed) async throws -> Result
  ) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "bed-\(UInt32.random(in: 0 ... .max))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let log = folder.appending(path: "bed.log")
    do {
      let options = (isBare ? ["--bare"] : []) + (site?.options ?? [])
      return try await Command(program("bed"), options + [folder.path]).whileRunning(log: log) { facts in
        let bed = Bed(leader: facts["leader"] ?? "")
        do {
          return try await body(bed)
        } catch {
          throw Failure("\(error)\nThe journal ends with:\n\(try await bed.run("journalctl", "--unit=acme-*", "--lines=60"))")
        }
      }
    } catch {
      let said = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
      throw Failure("\(error)\n\(said)")
    }
  }

  /// The machine is gone from one moment to the next. Nothing can be asked of it afterwards.
  func pullThePlug() {
    if let leader = pid_t(leader) { kill(leader, SIGKILL) }
  }

  /// The same command inside, as root, with nothing of this environment.
  func inside(_ command: Command) -> Command {
    let variables = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8", "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0"]
    let assignments = variables.merging(command.environment) { $1 }.map { "\($0.key)=\($0.value)" }
    let namespaces = ["--target", leader, "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd"]
    return Command("nsenter", namespaces + ["--", "env", "-i"] + assignments + [command.executable] + command.arguments)
  }

  /// How a command inside ended, and what it said.
  func outcome(_ executable: String, _ arguments: [String], limit: Duration = .seconds(60)) async throws -> Command.Outcome {
    try await inside(Command(executable, arguments)).run(limit: limit)
  }

  /// What a command inside has printed, without the last line's end; it is an error if it fails.
  @discardableResult
  func run(_ executable: String, _ arguments: String..., limit: Duration = .seconds(60)) async throws -> String {
    let outcome = try await outcome(executable, arguments, limit: limit)
    guard outcome.succeeded else {
      throw Failure("\(executable) \(arguments.joined(separator: " ")) failed: \(outcome.complaints) \(outcome.output)")
    }
    return String(outcome.output.last == "\n" ? outcome.output.dropLast() : outcome.output[...])
  }

  /// Writes a file inside; folders are made.
  func write(_ text: String, to path: String) async throws {
    try await run("sh", "-c", #"mkdir -p "$(dirname "$1")" && printf '%s' "$2" > "$1""#, "sh", path, text)
  }

  /// Looks again and again until it holds: what systemd does by itself is not told to anyone.
  func eventually(_ complaint: String, within limit: Duration = .seconds(15), _ holds: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !holds() {
      guard ContinuousClock.now < deadline else { throw Failure(complaint) }
      try await Task.sleep(for: .milliseconds(50))
    }
  }
}

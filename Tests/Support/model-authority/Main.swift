import ArgumentParser
import FoundationEssentials
import Glibc
import ModelAuthority
import UnixSignals

/// The model CA as a process of its own, for tests that run whole programs. It prints `trust PATH` and `ready URL`, and runs until SIGTERM; then
/// what it saw is in `report.json` in its folder.
@main
struct Main: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "model-authority", abstract: "A CA for tests that goes wrong as it is told.")

  @Argument(help: "for the file of its root, and its report")
  var folder: String

  @Option(help: "of its API; any free one if not given")
  var port = 0

  @Option(name: .customLong("http"), help: "a port of loopback where challenges are looked for; the first is that of the primary perspective")
  var ports: [Int]

  @Option(name: .customLong("fault"), help: "what the next request to a resource meets: RESOURCE=JSON, as in newOrder={\"dropped\":{}}")
  var faults: [ScriptedFault] = []

  @Option(help: "how many seconds its clock is ahead")
  var ahead = 0

  func run() async throws {
    var manners = Manners()
    manners.perspectives = ports.map { Perspective(port: $0) }
    let folder = URL(filePath: folder)
    let signals = await UnixSignalsSequence(trapping: .sigterm)
    try await ModelAuthority.run(manners, in: folder, port: port) { authority in
      authority.pass(.seconds(ahead))
      for scripted in faults { authority.script([scripted.fault], at: scripted.resource) }
      Self.say("trust \(authority.trust)")
      Self.say("ready \(authority.directory)")
      for await _ in signals { break }
      try JSONEncoder().encode(authority.report).write(to: folder.appending(path: "report.json"))
    }
  }

  /// Unbuffered, for somebody waits for it.
  private static func say(_ line: String) {
    let text = Array("\(line)\n".utf8)
    _ = write(STDOUT_FILENO, text, text.count)
  }
}

/// A fault and whom it befalls.
struct ScriptedFault: ExpressibleByArgument, Sendable {
  let resource: Resource
  let fault: Fault

  init?(argument: String) {
    let parts = argument.split(separator: "=", maxSplits: 1)
    guard parts.count == 2, let resource = Resource(rawValue: String(parts[0])),
      let fault = try? JSONDecoder().decode(Fault.self, from: Data(parts[1].utf8))
    else { return nil }
    self.resource = resource
    self.fault = fault
  }
}

import FoundationEssentials
import ModelAuthority
import Programs

/// The model CA in a process of its own.
enum Model {
  /// Runs it beside `body`, which gets its directory and the PEM file to trust.
  /// - Parameter ahead: how far its clock is.
  /// - Returns: what it saw.
  static func run(
    in folder: URL, challengePort: Int, faults: [(resource: Resource, fault: Fault)] = [], ahead: Duration = .zero, network: Network? = nil,
    _ body: @Sendable ((directory: String, trust: String)) async throws -> Void
  ) async throws -> Report {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let script = try faults.flatMap { ["--fault", "\($0.resource.rawValue)=\(String(decoding: try JSONEncoder().encode($0.fault), as: UTF8.self))"] }
    let command = Command(
      Project.executable("model-authority"), [folder.path, "--http", "\(challengePort)", "--ahead", "\(ahead.components.seconds)"] + script)
    try await (network?.inside(command) ?? command).whileRunning(log: folder.appending(path: "model.log")) { facts in
      try await body((facts["ready"] ?? "", facts["trust"] ?? ""))
    }
    return try JSONDecoder().decode(Report.self, from: Data(contentsOf: folder.appending(path: "report.json")))
  }
}

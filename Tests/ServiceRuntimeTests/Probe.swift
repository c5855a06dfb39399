import FoundationEssentials
import Glibc
import ServiceRuntime
import Subprocess
import Varlink

/// The test service as a real process, started by `systemd-socket-activate` at the first connection, as a socket unit would.
struct Probe: Sendable {
  /// How it ended.
  struct End: Sendable {
    let status: TerminationStatus
    /// The lines of its own log.
    let log: [String]
  }

  let client: VarlinkClient
  let socket: String
  private let process: pid_t

  /// Starts the service, runs the body beside it, and waits for its end, which is the body's to bring about.
  static func run(
    in folder: URL, socketNames: String = "probe", variables: [String: String] = [:], _ body: (Probe) async throws -> Void
  ) async throws -> End {
    let socket = folder.appending(component: "s\(UInt16.random(in: 0 ... .max))").filePath
    let state = ["STATE_DIRECTORY": folder.filePath].merging(variables) { $1 }
    let executable = try URL(filePath: FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
      .deletingLastPathComponent().appending(component: "RuntimeProbe").filePath
    let listeners = socketNames.split(separator: ":").indices.flatMap { ["--listen", $0 == 0 ? socket : "\(socket).\($0)"] }
    let settings = state.flatMap { ["--setenv", "\($0.key)=\($0.value)"] }
    let result = try await Subprocess.run(
      .name("systemd-socket-activate"), arguments: Arguments(listeners + ["--fdname", socketNames] + settings + [executable]),
      input: .none, output: .discarded, error: .string(limit: 1 << 20)
    ) { execution in
      let probe = Probe(client: VarlinkClient(path: socket), socket: socket, process: execution.processIdentifier.value)
      do {
        try await probe.wake()
        try await body(probe)
      } catch {
        probe.send(SIGKILL)
        throw error
      }
    }
    let lines = result.standardError.split(separator: "\n").map(String.init)
    return End(status: result.terminationStatus, log: lines.filter { $0.contains(" runtime-probe: ") })
  }

  func send(_ signal: CInt) {
    kill(process, signal)
  }

  /// Connects, which is what starts the process. `systemd-socket-activate` does not say when it listens, so this tries until it does.
  private func wake() async throws {
    while !canConnect() { try await Task.sleep(for: .milliseconds(5)) }
  }

  private func canConnect() -> Bool {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: socket.utf8) }
    let descriptor = Glibc.socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    defer { close(descriptor) }
    return withUnsafeBytes(of: &address) {
      connect(descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count)) == 0
    }
  }
}

import Logging
import RawSocket
import ServiceLifecycle

@testable import Varlink

/// A server on a socket that somebody else holds, as under systemd.
struct TestServer {
  let folder: TemporaryFolder
  let path: String
  let probe: Probe
  let client: VarlinkClient
  private let group: ServiceGroup

  /// Asks the server to end; does not wait for it.
  func stop() async { await group.triggerGracefulShutdown() }

  func connect() throws -> RawSocket { try RawSocket.connect(unix: path) }

  /// Sends a call by hand and returns the reply.
  func exchange(_ call: String) async throws -> String? {
    let socket = try connect()
    try await socket.send(call + "\0")
    return try await socket.receive(until: "\0")
  }

  /// Runs a server as long as `body` takes, and until all that it began has ended.
  static func run(limits: VarlinkLimits = .patient, _ body: (TestServer) async throws -> Void) async throws {
    let folder = try TemporaryFolder()
    let socket = try RawSocket.listen(unix: folder.path + "/socket")
    try await run(on: socket, in: folder, limits: limits, body)
  }

  static func run(
    on socket: RawSocket, in folder: TemporaryFolder, limits: VarlinkLimits = .patient, _ body: (TestServer) async throws -> Void
  ) async throws {
    let probe = Probe()
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let server = VarlinkServer(
      service: .init(vendor: "acme-connector", product: "test", version: "1", url: "https://example.com"),
      interfaces: [probe.handlers], listeners: [.inherited(descriptor: try socket.duplicate(), name: "test-socket")], limits: limits,
      logger: logger)
    let group = ServiceGroup(services: [server], logger: logger)
    let path = folder.path + "/socket"
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      try await body(TestServer(folder: folder, path: path, probe: probe, client: VarlinkClient(path: path), group: group))
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }
}

extension VarlinkLimits {
  /// Limits that no test reaches by being slow.
  static var patient: VarlinkLimits {
    var limits = VarlinkLimits()
    limits.grace = .seconds(30)
    limits.farewell = .seconds(30)
    return limits
  }
}

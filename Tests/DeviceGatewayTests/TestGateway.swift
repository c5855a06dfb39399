import DeviceGatewayAPI
import FoundationEssentials
import PKI
import RawSocket
import ServiceLifecycle
import ServiceRuntime
import Systemd
import Testing
import Varlink

@testable import DeviceGateway

/// The whole gateway in the test's process, on ports that the kernel chose, with a scheduler of the test's.
struct TestGateway: Sendable {
  static let deviceSecret = "pwd"
  static let adminSecret = "admin-secret"

  let port: UInt16
  let securePort: UInt16
  let scheduler: FakeScheduler
  let logins: VarlinkClient
  let folder: TemporaryFolder
  /// Asks the gateway, and only it, to end.
  let shutDown: @Sendable () async -> Void

  var url: String { "ws://127.0.0.1:\(port)/connector" }

  /// Runs a gateway for as long as `body` takes.
  static func run(
    limits: DoorLimits = DoorLimits(), withScheduler: Bool = true, in folder: TemporaryFolder? = nil, scheduler: FakeScheduler = FakeScheduler(),
    clock: WallClock = .system, handInInterval: Duration = .seconds(3600), attendancePause: Duration = .seconds(60),
    _ body: @escaping @Sendable (TestGateway) async throws -> Void
  ) async throws {
    let folder = try folder ?? TemporaryFolder()
    for name in ["state", "credentials"] {
      try FileManager.default.createDirectory(atPath: "\(folder.path)/\(name)", withIntermediateDirectories: true)
    }
    try Data(deviceSecret.utf8).write(to: URL(filePath: "\(folder.path)/credentials/device"))
    try Data("\(adminSecret)\n".utf8).write(to: URL(filePath: "\(folder.path)/credentials/admin"))
    let plain = try ListeningSocket.bind(host: "127.0.0.1", port: 0, name: "device-gateway-ws")
    let unix = try ListeningSocket.bind(unixPath: "\(folder.path)/ws.sock", name: "device-gateway-ws")
    let secure = try ListeningSocket.bind(host: "127.0.0.1", port: 0, name: "device-gateway-wss")
    let logins = try ListeningSocket.bind(unixPath: "\(folder.path)/logins.sock", name: "device-gateway-logins")
    let responder = try ListeningSocket.bind(unixPath: "\(folder.path)/responder.sock", name: "device-gateway-responder")
    let environment = ServiceEnvironment(
      name: "device-gateway",
      variables: [
        "STATE_DIRECTORY": "\(folder.path)/state", "CREDENTIALS_DIRECTORY": "\(folder.path)/credentials", "ACME_CONNECTOR_RUNTIME": folder.path,
      ], sockets: InheritedSockets([plain, unix, secure, logins, responder]))
    guard case .internet(_, let port) = plain.address, case .internet(_, let securePort) = secure.address else { throw NoPort() }

    let services = try GatewayParts(in: environment, limits: limits, clock: clock, handInInterval: handInInterval, attendancePause: attendancePause)
      .services
    let gateway = ServiceGroup(configuration: .init(services: services.map { .init(service: $0) }, logger: environment.logger))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      if withScheduler { tasks.addTask { try await scheduler.server(at: "\(folder.path)/scheduler.sock").run() } }
      tasks.addTask { try await gateway.run() }
      if withScheduler { try await eventually("the gateway listens to its scheduler") { scheduler.isHeard } }
      try await body(
        TestGateway(
          port: port, securePort: securePort, scheduler: scheduler, logins: VarlinkClient(path: "\(folder.path)/logins.sock"), folder: folder,
          shutDown: { await gateway.triggerGracefulShutdown() }))
      await gateway.triggerGracefulShutdown()
      tasks.cancelAll()
      while let result = await tasks.nextResult() { if case .failure(let error) = result, !(error is CancellationError) { throw error } }
    }
  }

  struct NoPort: Error {}

  /// A connection that has not logged in.
  func connect(path: String = "/connector/device") async throws -> TestDevice {
    try await TestDevice(.connect(port: port), path: path)
  }

  /// The same through a reverse proxy on this machine, which names those whom it asks for.
  func connect(forwardedFor hops: String, overUnixSocket: Bool = false) async throws -> TestDevice {
    let socket = try overUnixSocket ? RawSocket.connect(unix: "\(folder.path)/ws.sock") : .connect(port: port)
    return try await TestDevice(socket, path: "/connector", fields: "X-Forwarded-For: \(hops)\r\n")
  }

  /// A device that is logged in.
  func device(_ sip: String, secret: String = deviceSecret, domain: String = "") async throws -> TestDevice {
    let device = try await connect()
    _ = try await device.logIn(sip: sip, secret: secret, domain: domain)
    return device
  }
}

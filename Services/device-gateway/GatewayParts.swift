import DeviceGatewayAPI
import Logging
import NIOCore
import NIOPosix
import PKI
import ServiceLifecycle
import ServiceRuntime

/// What the gateway is made of, and how it hangs together.
struct GatewayParts {
  let services: [any Service]

  init(in environment: ServiceEnvironment, limits: DoorLimits = DoorLimits(), clock: WallClock = .system) throws {
    let path = try Self.path(environment)
    let logger = environment.logger
    let certificate = try GatewayCertificate(in: environment.stateDirectory, at: clock.now())
    let tls = try CurrentTLS(certificate)
    let logins = try LoginStore(in: environment, clock: clock)
    let connections = Connections(limits: limits)
    let devices = Devices()
    let scheduler = environment.connect(to: "scheduler")
    let errands = Errands(desk: SchedulerDesk(scheduler: scheduler, logger: logger), devices: devices)
    let house = House(
      doorkeeper: logins.doorkeeper, devices: devices, errands: errands, path: path, pin: certificate.pin, limits: limits, clock: clock,
      logger: logger)
    let door = Door(
      secureSockets: try environment.sockets(named: "device-gateway-wss"),
      plainSockets: environment.optionalSockets(named: "device-gateway-ws"),
      pipeline: { isSecure in
        DoorPipeline(
          path: path, connections: connections, tls: isSecure ? tls : nil, connectorCertificate: certificate.certificate.pem,
          makeConversation: { DeviceSession(in: house, on: $0) })
      },
      connections: connections, group: MultiThreadedEventLoopGroup.singleton, logger: logger)
    let administration = LoginsInterface(
      store: logins, closeConnections: { devices.close(login: $0) },
      describe: {
        .init(
          pin: certificate.pin.hex, path: "\(path)", connections: connections.count, fingerprint: certificate.certificate.fingerprint.hex,
          notAfter: certificate.certificate.notAfter.milliseconds)
      }, clock: clock)

    logger.info("devices may pin this key", metadata: ["pin": "\(certificate.pin)", "path": "\(path)"])
    services = [
      try environment.varlinkServer([administration.handlers], on: "device-gateway-logins"),
      try environment.varlinkServer([ChallengeResponder.handlers], on: "device-gateway-responder"),
      Gateway(door: door, watch: SchedulerWatch(scheduler: scheduler, devices: devices, logger: logger), errands: errands, logins: logins),
    ]
  }

  /// Why the gateway cannot be put together.
  struct BadPath: Error, CustomStringConvertible {
    let text: String

    var description: String { "\(InstancePath.variable)=\(text): no path as /domain/instance" }
  }

  private static func path(_ environment: ServiceEnvironment) throws -> InstancePath {
    guard let text = environment.variables[InstancePath.variable] else { return .standard }
    guard let path = InstancePath(text) else { throw BadPath(text: text) }
    return path
  }
}

import DeviceGatewayAPI
import Logging
import NIOCore
import NIOPosix
import PKI
import SchedulerAPI
import ServiceLifecycle
import ServiceRuntime
import Systemd
import Telemetry

/// What the gateway is made of, and how it hangs together.
struct GatewayParts {
  let services: [any Service]

  /// - Parameters:
  ///   - handInInterval: how often the gateway hands in the CSR of its own certificate.
  ///   - attendancePause: how often it tells who has left.
  init(
    in environment: ServiceEnvironment, limits: DoorLimits = DoorLimits(), clock: WallClock = .system, handInInterval: Duration = .seconds(3600),
    attendancePause: Duration = .seconds(60)
  ) throws {
    let path = try Self.path(environment)
    let logger = environment.logger
    let folder = try TLSFolder(environment.stateDirectory, at: clock.now(), logger: logger)
    let obtained = folder.obtained(logger: logger)
    let tls = CurrentTLS(folder.best(obtained, at: clock.now()))
    let logins = try LoginStore(in: environment, clock: clock)
    let connections = Connections(limits: limits, logger: logger)
    let proxies = try TrustedProxies(in: environment)
    let devices = Devices()
    let scheduler = environment.connect(to: "scheduler")
    let client = SchedulerClient(scheduler: scheduler, logger: logger)
    let errands = Errands(scheduler: client, devices: devices)
    let ownDevice = OwnDevice(in: folder, obtained: obtained, tls: tls, scheduler: client, clock: clock, logger: logger, interval: handInInterval)
    let challenges = try PushedChallenges(ChallengeRolesFile(in: environment), clock: clock, logger: logger)
    let lookups = ChallengeLookups(at: environment.connect(to: "challenge-http"), logger: logger)
    let attendance = Attendance(of: devices, pause: attendancePause)
    let context = SessionContext(
      authenticator: logins.authenticator, devices: devices, errands: errands, challenges: challenges, lookups: lookups, path: path,
      pin: folder.key.keyPin, limits: limits, clock: clock, logger: logger, attendance: attendance)
    let secureSockets = try environment.sockets(named: "device-gateway-wss")
    let door = Door(
      secureSockets: secureSockets,
      plainSockets: environment.optionalSockets(named: "device-gateway-ws"),
      pipeline: { isSecure in
        DoorPipeline(
          path: path, connections: connections, proxies: proxies, tls: tls, isSecure: isSecure,
          makeConversation: { DeviceSession(in: context, on: $0) })
      },
      connections: connections, group: MultiThreadedEventLoopGroup.singleton, logger: logger)
    let ended = EndedLogins(
      authenticator: logins.authenticator, devices: devices, clock: clock, eventLoop: MultiThreadedEventLoopGroup.singleton.next())
    let administration = LoginsInterface(
      store: logins, closeEnded: { ended.closeConnections() },
      describe: {
        let (served, standing) = (tls.certificate, await ownDevice.report)
        return .init(
          pin: folder.key.keyPin, path: "\(path)", port: secureSockets.lazy.compactMap(\.address.port).first, connections: connections.count,
          fingerprint: served.leaf.fingerprint, notAfter: served.leaf.notAfter,
          issuer: served.origin == .authority ? served.leaf.issuerCommonName ?? "" : nil, names: standing.names.map(\.value),
          state: standing.state?.rawValue, problem: standing.problem)
      }, clock: clock)

    logger.info("devices may pin this key", metadata: [.pin: folder.key.keyPin, .path: path])
    services = [
      try environment.varlinkServer([administration.handlers, environment.metricsInterface], on: "device-gateway-logins"),
      try environment.varlinkServer([challenges.responderInterface], on: "device-gateway-responder"),
      Gateway(
        door: door,
        watch: SchedulerWatch(scheduler: scheduler, devices: devices, ownDevice: ownDevice, proxies: proxies, logger: logger), proxies: proxies,
        ownDevice: ownDevice, errands: errands, challenges: challenges, lookups: lookups, logins: logins, refusedLogins: context.refusedLogins,
        attendance: attendance),
    ]
  }

  private static func path(_ environment: ServiceEnvironment) throws -> InstancePath {
    guard let text = environment.variables[InstancePath.variable] else { return .standard }
    guard let path = InstancePath(text) else {
      throw ServiceRuntimeError.launch("\(InstancePath.variable)=\(text)", cause: "is no path as /domain/instance; mend the unit's Environment=")
    }
    return path
  }
}

extension ListeningAddress {
  /// The TCP port; nil for a socket that has none.
  fileprivate var port: Int? {
    guard case .internet(_, let port) = self else { return nil }
    return Int(port)
  }
}

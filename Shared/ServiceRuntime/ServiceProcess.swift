import FoundationEssentials
import Glibc
import Logging
import NIOCore
import NIOPosix
public import ServiceLifecycle
import Systemd
import Telemetry
import UnixSignals

/// The process of one service, from its first line to its exit code: what every `Main.swift` consists of.
///
/// It takes over the inherited sockets, sets up log and metrics, starts what the service is made of, tells systemd how it goes, and ends on
/// SIGTERM, SIGINT or when idle: what was accepted is answered first, and the exit code is 0. A failure is one line in the log and exit code 1.
public struct ServiceProcess: Sendable {
  private let name: String
  private let standardIdleLimit: Duration?
  private let eventLoops: Int

  /// After this the services that have not ended are cancelled: well within systemd's `TimeoutStopSec=`.
  private static let longestStop = Duration.seconds(5)
  /// After this a service that does not even obey cancellation is a bug, and the process is made to crash for all to see.
  private static let longestCancellation = Duration.seconds(2)

  /// - Parameters:
  ///   - name: The executable's name.
  ///   - idleExit: How long the process stays without anything under way, if the environment does not say (``idleVariable``); nil: until it is
  ///     stopped, whatever it says.
  ///   - eventLoops: The threads for connections. One is enough for all but TLS to thousands of devices.
  public init(_ name: String, idleExit: Duration? = nil, eventLoops: Int = 1) {
    self.name = name
    standardIdleLimit = idleExit
    self.eventLoops = eventLoops
  }

  /// The environment variable that says after how many seconds without anything under way a process ends that does.
  public static let idleVariable = "ACME_CONNECTOR_IDLE"

  /// Runs the service and ends the process.
  ///
  /// - Parameter start: Makes what the service consists of. They are asked to stop in reverse order, one after the other, and none may
  ///   return before.
  public func run(_ start: @Sendable (ServiceEnvironment) async throws -> [any Service]) async -> Never {
    prepareProcess()
    let variables = ProcessInfo.processInfo.environment
    let metrics = MetricsRegistry()
    Telemetry.bootstrap(name: name, variables: variables, metrics: metrics)
    let logger = Logger(label: name)

    let group: ServiceGroup
    do {
      let inherited = try InheritedSockets.take().unclaimed
      if let folder = ServiceEnvironment.ownFolder(of: variables) { AtomicFile.removeDrafts(below: folder) }
      let (environment, services) = try await StartAttempts(folder: ServiceEnvironment.ownFolder(of: variables), logger: logger).run {
        let sockets = InheritedSockets(inherited)
        let environment = ServiceEnvironment(name: name, variables: variables, sockets: sockets, metrics: metrics)
        let services = try await start(environment)
        for socket in sockets.unclaimed {
          logger.log(
            .socketUnserved, "a socket was passed that nothing serves; connections to it will wait",
            metadata: [.socket: socket.name, .address: socket.address])
        }
        return (environment, services)
      }
      let archive = environment.metricsFile.map { MetricsArchive(file: $0, registry: metrics, logger: logger) }
      archive?.load()
      group = self.group(services, archive: archive, environment: environment)
    } catch is StartAttempts.Outdated {
      logger.notice("the disk can be written to by now, by another process; this one ends, for that to start")
      exit(EXIT_FAILURE)
    } catch {
      logger.log(.startFailed, "cannot start: \(error)")
      exit(EXIT_FAILURE)
    }

    do {
      try await group.run()
    } catch is CancellationError {
      logger.warning("not all services ended in time; they were cancelled", metadata: [.pause: Self.longestStop])
    } catch {
      logger.log(.serviceFailed, "ended by a failure: \(error)")
      exit(EXIT_FAILURE)
    }
    exit(EXIT_SUCCESS)
  }

  private func prepareProcess() {
    // A peer that closes early is an error of that write, not the end of the process.
    signal(SIGPIPE, SIG_IGN)
    // A reload that is asked for before there is a service to reload (see `SystemdNotifier`): it will start with what there is then.
    signal(SIGHUP, SIG_IGN)
    // What a service writes is its own.
    umask(0o077)
    raiseDescriptorLimit()
    NIOSingletons.groupLoopCountSuggestion = eventLoops
  }

  /// A process starts with 1,024 descriptors, for the sake of select(2), which nothing here calls, and may take as many as systemd grants it
  /// (systemd.exec(5), `LimitNOFILE=`): each connection is one.
  private func raiseDescriptorLimit() {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
    limit.rlim_cur = limit.rlim_max
    setrlimit(resource, &limit)
  }

  private func idleLimit(of environment: ServiceEnvironment) -> Duration? {
    guard let standardIdleLimit, let wish = environment.variables[Self.idleVariable] else { return standardIdleLimit }
    guard let seconds = Int(wish), (1...86_400).contains(seconds) else {
      environment.logger.log(
        .settingIgnored, "\(Self.idleVariable) is no number of seconds up to a day; using \(standardIdleLimit)",
        metadata: [.setting: Self.idleVariable, .value: wish])
      return standardIdleLimit
    }
    return .seconds(seconds)
  }

  /// The order is what matters: the archive stops last, when all has been counted, and the idle exit first (see `IdleExit`).
  private func group(_ services: [any Service], archive: MetricsArchive?, environment: ServiceEnvironment) -> ServiceGroup {
    let notifier = SystemdNotifier(
      reloads: environment.reloads, pulse: { try await MultiThreadedEventLoopGroup.singleton.any().submit {}.get() }, logger: environment.logger)
    let idleExit = idleLimit(of: environment).map { IdleExit(activity: environment.activity, limit: $0, logger: environment.logger) }

    typealias Member = ServiceGroupConfiguration.ServiceConfiguration
    // When one of them fails the others still stop in good order.
    var members = services.map { Member($0, afterFailure: .gracefullyShutdownGroup) }
    if let archive { members.insert(Member(archive), at: 0) }
    members += [Member(RestingPages()), Member(notifier)]
    if let idleExit { members.append(Member(idleExit, afterSuccess: .gracefullyShutdownGroup)) }

    var configuration = ServiceGroupConfiguration(services: members, gracefulShutdownSignals: [.sigterm, .sigint], logger: environment.logger)
    configuration.maximumGracefulShutdownDuration = Self.longestStop
    configuration.maximumCancellationDuration = Self.longestCancellation
    return ServiceGroup(configuration: configuration)
  }
}

extension ServiceGroupConfiguration.ServiceConfiguration {
  /// A service that the log calls by its type. Without a name it would be described with all that it is made of, secrets too.
  fileprivate init(_ service: any Service, afterSuccess: TerminationBehavior = .cancelGroup, afterFailure: TerminationBehavior = .cancelGroup) {
    self.init(
      service: service, successTerminationBehavior: afterSuccess, failureTerminationBehavior: afterFailure,
      serviceName: _typeName(type(of: service), qualified: false))
  }
}

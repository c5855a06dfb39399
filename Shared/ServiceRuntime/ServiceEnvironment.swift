public import FoundationEssentials
public import Logging
public import Systemd
public import Telemetry

/// What a service finds around it: folders, sockets, secrets, and the parts of the process that it shares.
public struct ServiceEnvironment: Sendable {
  /// The service's name, as its executable's.
  public let name: String
  /// The environment variables.
  public let variables: [String: String]
  /// The service's log.
  public let logger: Logger
  /// What the process has under way; see `Activity`.
  public let activity: Activity
  /// The secrets that the service manager handed over.
  public let credentials: Credentials
  /// Where the counters, gauges and timers of swift-metrics are kept; here to `describe` them.
  public let metrics: MetricsRegistry
  let inherited: InheritedSockets
  let reloads = ReloadHandlers()

  /// The environment of a service. Services get theirs from `ServiceProcess`; tests make one.
  public init(
    name: String, variables: [String: String] = [:], sockets: InheritedSockets = InheritedSockets(), metrics: MetricsRegistry = MetricsRegistry()
  ) {
    self.name = name
    self.variables = variables
    logger = Logger(label: name)
    activity = Activity()
    credentials = Credentials(folder: Self.folder("CREDENTIALS_DIRECTORY", of: variables))
    self.metrics = metrics
    inherited = sockets
  }

  /// What outlives the process and the machine's restart (`StateDirectory=`, file-hierarchy(7)).
  public var stateDirectory: URL { folder("STATE_DIRECTORY", otherwise: "/var/lib/acme-connector/\(name)") }

  /// What outlives the process, not the machine's restart (`RuntimeDirectory=` with `RuntimeDirectoryPreserve=yes`).
  public var runtimeDirectory: URL { folder("RUNTIME_DIRECTORY", otherwise: "/run/acme-connector-\(name)") }

  /// Where the Varlink sockets of all services are.
  public var socketDirectory: URL { folder("ACME_CONNECTOR_RUNTIME", otherwise: "/run/acme-connector") }

  /// The administrator's settings; it need not exist.
  public var settingsFile: URL { URL(filePath: variables["ACME_CONNECTOR_SETTINGS"] ?? "/etc/acme-connector/settings.json") }

  /// The sockets of these roles, which the service cannot do without: at least one of each. Each can be had once.
  ///
  /// - Parameter names: `FileDescriptorName=` of the socket units.
  public func sockets(named names: String...) throws(ServiceRuntimeError) -> [ListeningSocket] { try sockets(named: names) }

  /// The sockets of a role that the administrator may leave out; empty then.
  public func optionalSockets(named name: String) -> [ListeningSocket] { inherited.claim(name) }

  /// Has the handler run when the service is asked to read its settings again (SIGHUP). One that throws leaves things as they were.
  public func onReload(_ handler: @escaping @Sendable () async throws -> Void) { reloads.add(handler) }

  func sockets(named names: [String]) throws(ServiceRuntimeError) -> [ListeningSocket] {
    let passed = inherited.unclaimed.map { "\($0.name) (\($0.address))" }.joined(separator: ", ")
    var sockets: [ListeningSocket] = []
    for name in names {
      let claimed = inherited.claim(name)
      guard !claimed.isEmpty else {
        throw ServiceRuntimeError(
          .missingSocket, "socket \(name)",
          cause: "was not passed to this process (passed: \(passed.isEmpty ? "none" : passed)); "
            + "start the service by its socket units, whose FileDescriptorName= are the names, or with deploy/run-local")
      }
      sockets += claimed
    }
    return sockets
  }

  /// Where the metrics of earlier processes are; nil when the service has no folder of its own.
  var metricsFile: AtomicFile? {
    Self.ownFolder(of: variables).map { AtomicFile($0.appending(component: ".metrics.json")) }
  }

  /// The service's folder of its own, if it has one.
  static func ownFolder(of variables: [String: String]) -> URL? {
    folder("STATE_DIRECTORY", of: variables) ?? folder("RUNTIME_DIRECTORY", of: variables)
  }

  private func folder(_ variable: String, otherwise path: String) -> URL {
    Self.folder(variable, of: variables) ?? URL(filePath: path, directoryHint: .isDirectory)
  }

  /// systemd separates several folders by colons; the first is the service's main one.
  private static func folder(_ variable: String, of variables: [String: String]) -> URL? {
    variables[variable]?.split(separator: ":").first.map { URL(filePath: String($0), directoryHint: .isDirectory) }
  }
}

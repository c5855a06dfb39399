import CoreMetrics
import FoundationEssentials
import Metrics
import MetricsAPI
public import ServiceLifecycle
import Systemd
import Telemetry
public import Varlink

extension ServiceEnvironment {
  /// Serves the interfaces on the sockets of these roles. Each call is an activity, so that the process does not
  /// end as idle meanwhile, and is counted as `varlink_calls_total` and `varlink_call_duration_seconds`.
  public func varlinkServer(
    _ interfaces: [VarlinkInterfaceHandlers], on names: String..., limits: VarlinkLimits = VarlinkLimits()
  ) throws(ServiceRuntimeError) -> any Service {
    metrics.describe("varlink_calls_total", "Calls served, by method and outcome.")
    metrics.describe("varlink_call_duration_seconds", "How long calls took; a stream, how long it lasted.")
    let listeners = try sockets(named: names).map { VarlinkListener.inherited(descriptor: $0.descriptor, name: $0.name) }
    return VarlinkServer(
      service: VarlinkServiceDescription(vendor: "acme-connector", product: name, version: Product.version, url: ""),
      interfaces: interfaces,
      listeners: listeners,
      limits: limits,
      observer: CallObserver(activity: activity, metrics: metrics),
      logger: logger)
  }

  /// A client of another service. Nothing is opened before the first call.
  ///
  /// - Parameter socket: The socket's name in `socketDirectory`, without `.sock`: `scheduler`, `responders/challenge-http`.
  public func connect(to socket: String) -> VarlinkClient {
    VarlinkClient(path: socketDirectory.appending(path: "\(socket).sock").path(percentEncoded: false))
  }

  /// The service's metrics. A service has them on the one socket where its administrators are: who may call another one, a responder's for instance,
  /// need not know how busy it is.
  public var metricsInterface: VarlinkInterfaceHandlers {
    VarlinkInterfaceHandlers(
      .metrics, [.reply(MetricsAPI.Metrics.Read.self) { _, _ in .init(exposition: TextExposition(of: metrics).description) }])
  }
}

/// Ties the calls of a Varlink server to the activity of the process and to its metrics.
struct CallObserver: VarlinkServerObserver {
  let activity: Activity
  let metrics: MetricsRegistry

  func callBegan(method: String) {
    activity.begin()
  }

  func callEnded(method: String, outcome: VarlinkOutcome, duration: Duration) {
    Counter(label: "varlink_calls", dimensions: [("method", method), ("outcome", outcome.rawValue)], factory: metrics).increment()
    Timer(label: "varlink_call_duration", dimensions: [("method", method)], factory: metrics).record(duration: duration)
    activity.end()
  }
}

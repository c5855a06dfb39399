import CoreMetrics
import Logging
import Systemd

/// How a process tells what it does: its log and its metrics.
public enum Telemetry {
  /// The environment variable that chooses the log level: `trace`, `debug`, `info` (the default), `notice`, `warning`, `error` or `critical`.
  public static let levelVariable = "ACME_CONNECTOR_LOG"

  /// Sets up the log and the metrics of this process. Call it once, before the first logger is made.
  ///
  /// Records go to the journal when standard error is the journal, else to standard error as lines.
  /// - Parameters:
  ///   - name: The service's name.
  ///   - variables: The environment.
  ///   - metrics: What counters, gauges and timers made with swift-metrics are kept in.
  public static func bootstrap(name: String, variables: [String: String], metrics: MetricsRegistry) {
    let sink: any LogSink = Journal.isStandardError(variables: variables) ? JournalSink(identifier: name) : LineSink()
    let wish = variables[levelVariable]
    let level = wish.flatMap(Logger.Level.init(rawValue:))
    LoggingSystem.bootstrap { StructuredLogHandler(label: $0, level: level ?? .info, sink: sink) }
    MetricsSystem.bootstrap(metrics)
    if let wish, level == nil {
      Logger(label: name).log(.settingIgnored, "\(levelVariable) is no log level; using info", metadata: [.setting: levelVariable, .value: wish])
    }
  }
}

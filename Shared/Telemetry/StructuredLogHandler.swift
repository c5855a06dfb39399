public import Logging

/// The log handler of all services: makes a `LogRecord` of each statement, with the trace of the task, and gives it to a sink.
public struct StructuredLogHandler: LogHandler {
  /// Statements below it are not written.
  public var logLevel: Logger.Level
  /// What each record of this logger bears.
  public var metadata: Logger.Metadata = [:]
  /// Adds what the task at hand knows.
  public var metadataProvider: Logger.MetadataProvider?
  private let label: String
  private let sink: any LogSink

  /// A handler for the logger of that label.
  public init(label: String, level: Logger.Level, sink: any LogSink) {
    self.label = label
    logLevel = level
    self.sink = sink
  }

  /// One item of the metadata.
  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  /// Makes the record and hands it on.
  public func log(event: LogEvent) {
    // The nearer to the statement, the stronger: logger, then task, then the statement itself.
    var metadata = metadata
    if let metadataProvider { metadata.merge(metadataProvider.get()) { $1 } }
    if let explicit = event.metadata { metadata.merge(explicit) { $1 } }
    if let error = event.error { metadata["error"] = "\(error)" }
    sink.write(LogRecord(event, label: label, metadata: metadata, trace: TraceContext.current))
  }
}

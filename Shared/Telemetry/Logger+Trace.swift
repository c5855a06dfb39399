public import Logging

extension Logger {
  /// Writes a line of a trace category, at the level debug and whatever the log level is; at most so many a minute (see ``TraceBudget``).
  /// - Parameter isOn: whether the category is on for what the line is about.
  public func trace(
    _ category: TraceCategory, isOn: Bool, _ message: @autoclosure () -> Message, metadata: @autoclosure () -> LogFields = [:],
    file: String = #fileID, function: String = #function, line: UInt = #line
  ) {
    guard isOn else { return }
    var logger = self
    logger.logLevel = .trace
    var about: LogFields = [.category: category.rawValue]
    switch TraceBudget.take(category) {
    case .written(let unsaid):
      if unsaid > 0 { about[.unsaid] = unsaid }
      logger.debug(message(), metadata: metadata().merging(about), file: file, function: function, line: line)
    case .full:
      about[.limit] = TraceBudget.lines
      logger.notice(
        "the trace has more lines than are written in a minute; the next ones are left out", metadata: about, file: file, function: function,
        line: line)
    case .leftOut:
      break
    }
  }
}

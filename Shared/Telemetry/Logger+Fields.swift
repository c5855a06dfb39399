public import Logging

// The statements of swift-log with fields of the house's vocabulary, and the one that tells of an event.

extension Logger {
  /// Tells of an event that an administrator should know, with its id and at its level.
  public func log(
    _ event: JournalEvent, _ message: @autoclosure () -> Message, error: @autoclosure () -> (any Error)? = nil,
    metadata: @autoclosure () -> LogFields = [:], file: String = #fileID, function: String = #function, line: UInt = #line
  ) {
    log(level: event.level, message(), error: error(), metadata: metadata().marked(as: event), file: file, function: function, line: line)
  }

  /// Writes at a level that is found out at run time.
  public func log(
    level: Level, _ message: @autoclosure () -> Message, error: @autoclosure () -> (any Error)? = nil, metadata: @autoclosure () -> LogFields,
    file: String = #fileID, function: String = #function, line: UInt = #line
  ) {
    log(level: level, message(), error: error(), metadata: metadata().metadata, file: file, function: function, line: line)
  }

  /// Writes at the level debug.
  public func debug(
    _ message: @autoclosure () -> Message, error: @autoclosure () -> (any Error)? = nil, metadata: @autoclosure () -> LogFields,
    file: String = #fileID, function: String = #function, line: UInt = #line
  ) {
    log(level: .debug, message(), error: error(), metadata: metadata(), file: file, function: function, line: line)
  }

  /// Writes at the level info.
  public func info(
    _ message: @autoclosure () -> Message, error: @autoclosure () -> (any Error)? = nil, metadata: @autoclosure () -> LogFields,
    file: String = #fileID, function: String = #function, line: UInt = #line
  ) {
    log(level: .info, message(), error: error(), metadata: metadata(), file: file, function: function, line: line)
  }

  /// Writes at the level notice.
  public func notice(
    _ message: @autoclosure () -> Message, error: @autoclosure () -> (any Error)? = nil, metadata: @autoclosure () -> LogFields,
    file: String = #fileID, function: String = #function, line: UInt = #line
  ) {
    log(level: .notice, message(), error: error(), metadata: metadata(), file: file, function: function, line: line)
  }

  /// Writes at the level warning.
  public func warning(
    _ message: @autoclosure () -> Message, error: @autoclosure () -> (any Error)? = nil, metadata: @autoclosure () -> LogFields,
    file: String = #fileID, function: String = #function, line: UInt = #line
  ) {
    log(level: .warning, message(), error: error(), metadata: metadata(), file: file, function: function, line: line)
  }

  /// Writes at the level error.
  public func error(
    _ message: @autoclosure () -> Message, error: @autoclosure () -> (any Error)? = nil, metadata: @autoclosure () -> LogFields,
    file: String = #fileID, function: String = #function, line: UInt = #line
  ) {
    log(level: .error, message(), error: error(), metadata: metadata(), file: file, function: function, line: line)
  }
}

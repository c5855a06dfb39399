/// What one peer may cost. Every figure is a bound, not a target.
public struct VarlinkLimits: Sendable {
  /// The longest message in bytes, without its NUL.
  public var messageBytes = 1 << 20
  /// How deep objects and arrays may be nested in a message.
  public var depth = 32
  /// How many connections a server keeps open; one more is closed at once.
  public var connections = 256
  /// How many streams a server serves at a time; one more is answered `org.acmeconnector.Busy`.
  public var streams = 128
  /// How long a connection may stay without a call, and how long a reply may wait to be taken.
  public var idle: Duration = .seconds(60)
  /// How long a call may still take when the server is ending; a stream ends at once.
  public var grace: Duration = .seconds(2)
  /// How long a peer may take to read its last answer after that, before it is cut off.
  public var farewell: Duration = .seconds(1)

  /// The defaults.
  public init() {}
}

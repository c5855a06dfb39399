import NIOCore

/// What one visitor, and all of them together, may cost. Every figure is a bound, not a target.
struct DoorLimits: Sendable {
  /// The longest message, in bytes (device protocol, "Connection").
  var messageBytes = 65_536
  /// The most fragments of a message.
  var fragments = 1024
  /// The longest request line and header fields, in bytes.
  var headBytes = 8192
  /// From the connection to the end of the request head; a TLS handshake is in it.
  var headTime = TimeAmount.seconds(10)
  /// From the upgrade to the login.
  var loginTime = TimeAmount.seconds(10)
  /// How long the peer may take for its half of the closing handshake (RFC 6455, section 7.1.1).
  var closingTime = TimeAmount.seconds(1)
  /// The server pings every connection this often; a peer that answers none of two is gone.
  var pingInterval = Duration.seconds(30)
  /// How many bytes may wait for a peer that does not read.
  var outboundBytes = 262_144
  /// How many requests of one connection may wait while one is being worked on.
  var waitingRequests = 8
  /// Open connections in all.
  var connections = 20_000
  /// Connections in all that have not logged in.
  var strangers = 2000
  /// Connections from one network that have not logged in.
  var strangersPerNetwork = 500

  init() {}
}

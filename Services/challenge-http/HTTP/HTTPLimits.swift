import NIOCore

/// What one peer may cost.
struct HTTPLimits: Sendable {
  /// The longest head of a request, in bytes.
  var headBytes = 8192
  /// How long a head may take, from its first byte, or from the connection's beginning.
  var head = TimeAmount.seconds(5)
  /// How long a connection may wait between two requests.
  var idle = TimeAmount.seconds(15)
  /// How long a refused peer's remaining bytes are read and dropped, so that it can read the answer before the connection is reset.
  var linger = TimeAmount.seconds(2)
  /// How long a connection may still wait for its answer when the service is ending.
  var end = TimeAmount.seconds(1)
  /// How many connections there are; one more takes the place of the one that has been quiet for longest.
  var connections = 4096
}

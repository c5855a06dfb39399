/// How a server comes to its end: in three steps, each with its grace, so that nobody who keeps to the protocol loses a call
/// and nobody who does not can hold the process.
struct Ending: Sendable {
  /// No new connection is taken, streams end with `Restarting`. A connection that has made no call yet may still make one.
  let begun = Signal()
  /// Nothing more is read, and calls still under way end with `Restarting`.
  let overdue = Signal()
  /// Whoever has not taken its answer by now is cut off.
  let over = Signal()
}

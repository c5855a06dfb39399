import PKI

/// What really happened, whatever the connector has written down.
struct Truth {
  /// How many creations of certificates failed for each device by its own fault.
  private(set) var failures: [Int: Int] = [:]
  /// Which devices an administrator has given a name that was another's.
  var approved: Set<Int> = []
  /// When the CA was first asked for a certificate of a device.
  var orderedAt: [Int: Instant] = [:]
  /// Since when each waits for nothing but a place in the queue.
  var calledAt: [Int: Instant] = [:]
  /// How many certificates the CA wanted replaced at once.
  var recalled = 0

  mutating func noteFailure(of device: Int) { failures[device, default: 0] += 1 }

  /// What was written down since the backup is lost with the disk.
  mutating func forget(but events: EventCounts) {
    failures = failures.reduce(into: [:]) { kept, failure in kept[failure.key] = events.count(.orderFailed, of: failure.key) }
    calledAt = [:]
  }
}

import PKI

/// What the connector has on its disk.
struct ConnectorState {
  var slots: [Slot]
  var ledger = Ledger([:])
  var health = AuthorityHealth()
  var queue = ModelQueue()
  /// Which device holds a name.
  var holders: [DNSName: Int] = [:]
  /// How many requests there were.
  var requests: Int64 = 0
  /// The certificates that the CA wants replaced and that are told of as one, while that is so.
  var campaign: (members: Set<Int>, startedAt: Instant)?
  /// Those that it wants replaced and that are told of one by one: those that are to be renewed still, and when each was told.
  var pressing: (waiting: Set<Int>, told: [Instant]) = ([], [])
  var events = EventCounts()
}

/// How many events of each kind were written down, in all and of each device.
struct EventCounts {
  private(set) var all: [Event.Code: Int] = [:]
  private var ofDevices: [Event.Code: [Int: Int]] = [:]

  mutating func record(_ code: Event.Code, of device: Int? = nil) {
    all[code, default: 0] += 1
    if let device { ofDevices[code, default: [:]][device, default: 0] += 1 }
  }

  func count(_ code: Event.Code) -> Int { all[code] ?? 0 }
  func count(_ code: Event.Code, of device: Int) -> Int { ofDevices[code]?[device] ?? 0 }
}
